//! What every backend must do: one suite of functions over a store, run against each.

mod applications;
mod connections;
mod logins;
mod organizations;
mod traces;
mod users;

/// Runs functions of the suite against SQLite.
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
    };
}
use on_every_backend;
