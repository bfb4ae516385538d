//! How an honest provider is told to lie: one word for one login.

/// Declares an enum of lies: what a form sends is the variant's name, what a person reads is its label.
macro_rules! lies {
    ($(#[$about:meta])* pub enum $name:ident { $($(#[$mark:ident])? $lie:ident = $label:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$mark])? #[doc = $label] $lie,)+
        }

        impl $name {
            /// Every one, the honest one first.
            pub const ALL: &'static [Self] = &[$(Self::$lie),+];

            /// What a form sends.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$lie => stringify!($lie),)+
                }
            }

            /// What a person reads.
            pub const fn label(self) -> &'static str {
                match self {
                    $(Self::$lie => $label,)+
                }
            }

            /// Reads [`Self::name`]; anything else is honest.
            pub fn named(name: &str) -> Self {
                Self::ALL.iter().copied().find(|lie| lie.name() == name).unwrap_or_default()
            }
        }
    };
}

pub(crate) use lies;
