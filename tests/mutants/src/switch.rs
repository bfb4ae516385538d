//! Writes all mutants of a file into it, each behind a number.
//!
//! Those of cargo-mutants are placed where its list says. Beside them stand four that it does not make: a check whose
//! answer is not asked (`f(…)?;` left out), a condition that always or never holds, a predicate that does (of `filter`,
//! `any` and the like), and an arm left out of a match whose last arm takes all.

mod boolean;

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::edit::{Edit, edited};
use crate::listed::Listed;

/// One mutant of the build.
#[derive(Clone, Debug)]
pub(crate) struct Mutant {
    pub(crate) number: u32,
    pub(crate) file: String,
    /// Place and change, as cargo-mutants words it.
    pub(crate) name: String,
    /// Whether cargo-mutants lists it.
    pub(crate) is_listed: bool,
}

/// A file with its mutants.
pub(crate) struct Switched {
    pub(crate) text: String,
    pub(crate) mutants: Vec<Mutant>,
    /// Names of the listed ones that found no place.
    pub(crate) unplaced: Vec<String>,
    /// The number after the last.
    pub(crate) next: u32,
}

/// Places the mutants of `file`, numbered from `first`; those that do not compile are left out and keep their number.
pub(crate) fn switched(
    file: &str,
    source: &str,
    listed: &[Listed],
    first: u32,
    unviable: &[u32],
) -> syn::Result<Switched> {
    let mut placer = Placer {
        file,
        source,
        listed: listed
            .iter()
            .filter(|one| one.file == file)
            .map(|one| (one, false))
            .collect(),
        unviable,
        next: first,
        edits: Vec::new(),
        mutants: Vec::new(),
        function: String::new(),
        droppable: Vec::new(),
    };
    placer.visit_file(&syn::parse_file(source)?);
    let unplaced = placer.listed.iter().filter(|(_, placed)| !placed);
    Ok(Switched {
        unplaced: unplaced.map(|(one, _)| one.name.clone()).collect(),
        text: edited(source, placer.edits),
        mutants: placer.mutants,
        next: placer.next,
    })
}

struct Placer<'a> {
    file: &'a str,
    source: &'a str,
    /// With whether it was placed.
    listed: Vec<(&'a Listed, bool)>,
    unviable: &'a [u32],
    next: u32,
    edits: Vec<Edit>,
    mutants: Vec<Mutant>,
    function: String,
    /// Where the arms begin that may be left out of the match that is visited.
    droppable: Vec<(usize, usize)>,
}

/// Line and column, counted from 1.
fn place(span: Span) -> (usize, usize) {
    (span.start().line, span.start().column + 1)
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Path>()
                .is_ok_and(|path| path.is_ident("test"))
    })
}

impl<'a> Placer<'a> {
    /// The next number, unless it does not compile.
    fn number(&mut self, name: String, is_listed: bool) -> Option<u32> {
        let number = self.next;
        self.next += 1;
        let file = self.file.to_owned();
        let mutant = Mutant {
            number,
            file,
            name,
            is_listed,
        };
        self.mutants.push(mutant);
        (!self.unviable.contains(&number)).then_some(number)
    }

    /// Numbers and replacements of the listed ones that fit.
    fn take(&mut self, fits: impl Fn(&Listed) -> bool) -> Vec<(u32, &'a str)> {
        let mut taken = Vec::new();
        for (one, placed) in &mut self.listed {
            if !*placed && fits(one) {
                *placed = true;
                taken.push(*one);
            }
        }
        let number =
            |one: &'a Listed| Some((self.number(one.name.clone(), true)?, &*one.replacement));
        taken.into_iter().filter_map(number).collect()
    }

    fn take_at(&mut self, genre: &str, span: Span) -> Vec<(u32, &'a str)> {
        self.take(|one| one.genre == genre && one.start == place(span))
    }

    /// The number of one that cargo-mutants does not make.
    fn own(&mut self, span: Span, change: &str) -> Option<u32> {
        let (line, column) = place(span);
        let words: Vec<&str> = self.text(span).split_whitespace().collect();
        let short: String = words.join(" ").chars().take(90).collect();
        let name = format!(
            "{}:{line}:{column}: {change}: {short} in {}",
            self.file, self.function
        );
        self.number(name, false)
    }

    fn text(&self, span: Span) -> &'a str {
        &self.source[span.byte_range()]
    }

    fn around(&mut self, span: Span, before: String, behind: &str) {
        let (range, behind) = (span.byte_range(), behind.to_owned());
        self.edits.push(Edit {
            start: range.start,
            end: range.end,
            before,
            behind,
        });
    }

    fn insert(&mut self, at: usize, before: String) {
        self.edits.push(Edit {
            start: at,
            end: at,
            before,
            behind: String::new(),
        });
    }

    fn function(&mut self, name: &syn::Ident, block: &syn::Block) {
        let name = name.to_string();
        let lines = block.span().start().line..=block.span().end().line;
        let values = self.take(|one| {
            one.genre == "FnValue" && one.function == name && lines.contains(&one.start.0)
        });
        let open = block.brace_token.span.open().byte_range().end;
        for (number, value) in values {
            self.insert(
                open,
                format!("\nif crate::mutant::is({number}) {{ return {value}; }}\n"),
            );
        }
        let outer = std::mem::replace(&mut self.function, name);
        visit::visit_block(self, block);
        self.function = outer;
    }
}

impl<'ast> Visit<'ast> for Placer<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    // The number is not known at compile time.
    fn visit_item_const(&mut self, _: &'ast syn::ItemConst) {}

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !is_test(&item.attrs) && item.sig.constness.is_none() {
            self.function(&item.sig.ident, &item.block);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_test(&item.attrs) && item.sig.constness.is_none() {
            self.function(&item.sig.ident, &item.block);
        }
    }

    fn visit_stmt(&mut self, statement: &'ast syn::Stmt) {
        if let syn::Stmt::Expr(syn::Expr::Try(check), Some(_)) = statement
            && let Some(number) = self.own(check.span(), "check left out")
        {
            let before = format!("if !crate::mutant::is({number}) {{ ");
            self.around(statement.span(), before, " }");
        }
        visit::visit_stmt(self, statement);
    }

    fn visit_expr_if(&mut self, expression: &'ast syn::ExprIf) {
        if !matches!(&*expression.cond, syn::Expr::Let(_)) {
            self.always_and_never(&expression.cond, "condition");
        }
        visit::visit_expr_if(self, expression);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let method = call.method.to_string();
        if boolean::PREDICATES.contains(&&*method)
            && let Some(syn::Expr::Closure(closure)) = call.args.first()
        {
            self.always_and_never(&closure.body, &format!("predicate of {method}"));
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_binary(&mut self, expression: &'ast syn::ExprBinary) {
        self.operators(expression);
    }

    fn visit_expr_unary(&mut self, expression: &'ast syn::ExprUnary) {
        let operand = self.text(expression.expr.span());
        for (number, _) in self.take_at("UnaryOperator", expression.op.span()) {
            let before = format!("(if crate::mutant::is({number}) {{ {operand} }} else {{ ");
            self.around(expression.span(), before, " })");
        }
        visit::visit_expr_unary(self, expression);
    }

    fn visit_expr_match(&mut self, expression: &'ast syn::ExprMatch) {
        self.visit_expr(&expression.expr);
        for arm in &expression.arms {
            self.droppable = boolean::droppable(&expression.arms);
            self.visit_arm(arm);
        }
        self.droppable.clear();
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        self.arm(arm);
        visit::visit_arm(self, arm);
    }
}

#[cfg(test)]
mod tests;
