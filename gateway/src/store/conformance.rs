//! What every backend must do: one suite of functions over a store, run against each.

mod applications;
mod connections;
mod identities;
mod keys;
mod logins;
mod memberships;
mod organizations;
mod setup;
mod traces;
mod trust;
mod users;

/// Runs functions of the suite against SQLite and PostgreSQL.
macro_rules! on_every_backend {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test]
                async fn $test() {
                    super::$test(&*$crate::store::testing::TestStore::sqlite().await).await;
                }
            )+
        }

        mod postgres {
            $(
                #[tokio::test]
                async fn $test() {
                    super::$test(&*$crate::store::testing::TestStore::postgres().await).await;
                }
            )+
        }
    };
}
use on_every_backend;
