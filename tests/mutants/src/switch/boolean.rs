//! Conditions, operators and arms.

use std::fmt::Write as _;

use syn::spanned::Spanned;
use syn::visit::Visit;

use super::{Placer, place};

/// The methods whose first argument decides by true and false.
pub(super) const PREDICATES: [&str; 10] = [
    "all",
    "any",
    "filter",
    "find",
    "is_none_or",
    "is_ok_and",
    "is_some_and",
    "next_if",
    "position",
    "rposition",
];

/// Where the arms begin that the last one, which takes all, can stand in for.
pub(super) fn droppable(arms: &[syn::Arm]) -> Vec<(usize, usize)> {
    let Some((last, others)) = arms.split_last() else {
        return Vec::new();
    };
    let takes_all = last.guard.is_none()
        && match &last.pat {
            syn::Pat::Wild(_) => true,
            // A name in capitals is a constant or a variant.
            syn::Pat::Ident(name) => {
                name.subpat.is_none() && name.ident.to_string().starts_with(char::is_lowercase)
            }
            _ => false,
        };
    let unguarded = others.iter().filter(|arm| takes_all && arm.guard.is_none());
    unguarded.map(|arm| place(arm.span())).collect()
}

/// Whether a condition binds a name: it can get a further condition, but not be put in parentheses.
fn binds(condition: &syn::Expr) -> bool {
    match condition {
        syn::Expr::Let(_) => true,
        syn::Expr::Binary(both) => binds(&both.left) || binds(&both.right),
        _ => false,
    }
}

/// The operators of `a && b == c`, and what stands between them.
fn chain<'e>(
    expression: &'e syn::ExprBinary,
    operators: &mut Vec<&'e syn::BinOp>,
    operands: &mut Vec<&'e syn::Expr>,
) {
    for side in [&*expression.left, &*expression.right] {
        match side {
            syn::Expr::Binary(inner) => chain(inner, operators, operands),
            operand => operands.push(operand),
        }
    }
    operators.push(&expression.op);
}

impl Placer<'_> {
    /// A condition that always holds, and one that never does.
    pub(super) fn always_and_never(&mut self, condition: &syn::Expr, what: &str) {
        let span = condition.span();
        let never = self.own(span, &format!("{what} never holds"));
        if binds(condition) {
            if let Some(never) = never {
                self.insert(
                    span.byte_range().start,
                    format!("!crate::mutant::is({never}) && "),
                );
            }
            return;
        }
        let mut before = String::from("(");
        if let Some(always) = self.own(span, &format!("{what} always holds")) {
            let _ = write!(before, "crate::mutant::is({always}) || ");
        }
        if let Some(never) = never {
            let _ = write!(before, "!crate::mutant::is({never}) && ");
        }
        before.push('(');
        self.around(span, before, "))");
    }

    /// As cargo-mutants does it: the operator is exchanged in the text, whatever binds more tightly then.
    pub(super) fn operators(&mut self, expression: &syn::ExprBinary) {
        if binds(&expression.left) || binds(&expression.right) {
            self.visit_expr(&expression.left);
            self.visit_expr(&expression.right);
            return;
        }
        let (mut operators, mut operands) = (Vec::new(), Vec::new());
        chain(expression, &mut operators, &mut operands);
        let whole = expression.span().byte_range();
        let mut arms = String::new();
        for operator in operators {
            let range = operator.span().byte_range();
            for (number, other) in self.take_at("BinaryOperator", operator.span()) {
                let left = &self.source[whole.start..range.start];
                let right = &self.source[range.end..whole.end];
                let _ = write!(arms, "{number}u32 => {left}{other}{right}, ");
            }
        }
        if !arms.is_empty() {
            let before = format!("(match crate::mutant::on() {{ {arms}_ => ");
            self.around(expression.span(), before, " })");
        }
        for operand in operands {
            self.visit_expr(operand);
        }
    }

    pub(super) fn arm(&mut self, arm: &syn::Arm) {
        let mut dropped = self.take_at("MatchArm", arm.span());
        if dropped.is_empty() && self.droppable.contains(&place(arm.span())) {
            let own = self.own(arm.pat.span(), "match arm left out");
            dropped.extend(own.map(|number| (number, "")));
        }
        self.droppable.clear();
        let mut stays: Vec<String> = dropped.iter().map(|(number, _)| off(*number)).collect();
        let Some((_, guard)) = &arm.guard else {
            if !stays.is_empty() {
                self.insert(
                    arm.pat.span().byte_range().end,
                    format!(" if {}", stays.join(" && ")),
                );
            }
            return;
        };
        let mut always = String::new();
        for (number, value) in self.take_at("MatchArmGuard", guard.span()) {
            if value == "true" {
                let _ = write!(always, "crate::mutant::is({number}) || ");
            } else {
                stays.push(off(number));
            }
        }
        let stays: String = stays.into_iter().map(|one| one + " && ").collect();
        if binds(guard) {
            self.insert(guard.span().byte_range().start, stays);
        } else {
            self.around(guard.span(), format!("({always}{stays}("), "))");
        }
    }
}

fn off(number: u32) -> String {
    format!("!crate::mutant::is({number})")
}
