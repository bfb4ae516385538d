//! One session for as long as nobody else has it: for single statements, or for one transaction.

use sqlx::postgres::{PgArguments, PgConnection, PgRow};
use sqlx::query::{Query, QueryAs};
use sqlx::{Execute as _, FromRow, Postgres, SqlStr};
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout};

use super::super::StoreError;
use super::super::error::{ends_session, is_text_unwritable};
use super::pool::{Idle, Pool};

/// The longest that a statement is waited for: the server gives up before, unless it is not there any more.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(7);

type Arguments<'q> = Query<'q, Postgres, PgArguments>;
type Rows<'q, T> = QueryAs<'q, Postgres, T, PgArguments>;
type Answer<T> = Result<Result<T, sqlx::Error>, Elapsed>;

/// A session. What is open when it is dropped is rolled back.
#[derive(Debug)]
pub(crate) struct Session {
    /// None: it is lost.
    connection: Option<PgConnection>,
    generation: u64,
    pool: Pool,
    permit: Option<OwnedSemaphorePermit>,
    /// Statements belong to one transaction.
    transacts: bool,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// No transaction is open.
    Idle,
    /// One is.
    Begun,
    /// One is, and a statement of it failed: there is no commit.
    Failed,
    /// A statement was sent, and its answer is not heard yet.
    Speaking,
}

impl Session {
    pub(super) fn new(idle: Idle, pool: Pool, permit: OwnedSemaphorePermit) -> Self {
        Self {
            connection: Some(idle.connection),
            generation: idle.generation,
            pool,
            permit: Some(permit),
            transacts: false,
            state: State::Idle,
        }
    }

    /// From now on, statements belong to one transaction, which the first of them begins.
    pub(in super::super) fn transact(mut self) -> Self {
        self.transacts = true;
        self
    }

    pub(crate) async fn begin(&mut self) -> Result<(), StoreError> {
        self.transacts = true;
        self.say("BEGIN").await?;
        self.state = State::Begun;
        Ok(())
    }

    pub(in super::super) async fn commit(mut self) -> Result<(), StoreError> {
        match self.state {
            State::Idle => Ok(()),
            State::Begun => {
                self.say("COMMIT").await?;
                self.state = State::Idle;
                Ok(())
            }
            // The server would answer such a COMMIT by rolling back, and say so where nobody looks.
            State::Failed | State::Speaking => {
                let why = "a statement of the transaction failed".to_owned();
                Err(StoreError::Unavailable(sqlx::Error::Protocol(why)))
            }
        }
    }

    pub(crate) async fn fetch_all<T>(&mut self, query: Rows<'_, T>) -> Result<Vec<T>, StoreError>
    where
        T: Send + Unpin + for<'r> FromRow<'r, PgRow>,
    {
        self.begin_if_due().await?;
        let mut asked = Asked::new(query)?;
        loop {
            let before = self.state;
            let query = asked.rows::<T>();
            let answer = timeout(PATIENCE, query.fetch_all(self.speak()?)).await;
            match self.hear(before, answer) {
                Err(_) if self.may_ask_again(&mut asked).await => {}
                answer => return or_nothing(answer),
            }
        }
    }

    pub(crate) async fn fetch_optional<T>(
        &mut self,
        query: Rows<'_, T>,
    ) -> Result<Option<T>, StoreError>
    where
        T: Send + Unpin + for<'r> FromRow<'r, PgRow>,
    {
        self.begin_if_due().await?;
        self.fetch_alone(query).await
    }

    /// As [`Session::fetch_optional`], without beginning a transaction for it.
    pub(crate) async fn fetch_alone<T>(
        &mut self,
        query: Rows<'_, T>,
    ) -> Result<Option<T>, StoreError>
    where
        T: Send + Unpin + for<'r> FromRow<'r, PgRow>,
    {
        let mut asked = Asked::new(query)?;
        loop {
            let before = self.state;
            let query = asked.rows::<T>();
            let answer = timeout(PATIENCE, query.fetch_optional(self.speak()?)).await;
            match self.hear(before, answer) {
                Err(_) if self.may_ask_again(&mut asked).await => {}
                answer => return or_nothing(answer),
            }
        }
    }

    pub(crate) async fn execute(&mut self, query: Arguments<'_>) -> Result<u64, StoreError> {
        self.begin_if_due().await?;
        self.execute_alone(query).await
    }

    /// Statements one after the other, each with all arguments.
    pub(crate) async fn execute_each(
        &mut self,
        statements: &[&'static str],
        mut arguments: Arguments<'_>,
    ) -> Result<(), StoreError> {
        let arguments = arguments.take_arguments().map_err(sqlx::Error::Encode)?;
        let arguments = arguments.unwrap_or_default();
        for &statement in statements {
            self.execute(sqlx::query_with(statement, arguments.clone()))
                .await?;
        }
        Ok(())
    }

    /// The last statement of a transaction: where it is the only one, it needs no other.
    pub(crate) async fn commit_with(mut self, query: Arguments<'_>) -> Result<(), StoreError> {
        self.execute_alone(query).await?;
        self.commit().await
    }

    async fn execute_alone(&mut self, query: Arguments<'_>) -> Result<u64, StoreError> {
        let before = self.state;
        let answer = timeout(PATIENCE, query.execute(self.speak()?)).await;
        self.hear(before, answer).map(|done| done.rows_affected())
    }

    /// Whether a lost session was replaced, so that what only reads can be asked once more: a server that was
    /// restarted meanwhile is not the asker's trouble.
    async fn may_ask_again(&mut self, asked: &mut Asked) -> bool {
        if self.connection.is_some() || self.state != State::Idle || asked.again {
            return false;
        }
        asked.again = true;
        let Ok(Ok(idle)) = timeout(PATIENCE, self.pool.connect()).await else {
            return false;
        };
        self.generation = idle.generation;
        self.connection = Some(idle.connection);
        true
    }

    async fn begin_if_due(&mut self) -> Result<(), StoreError> {
        if self.transacts && self.state == State::Idle {
            self.begin().await?;
        }
        Ok(())
    }

    async fn say(&mut self, word: &'static str) -> Result<(), StoreError> {
        let before = self.state;
        let query = sqlx::raw_sql(word);
        let answer = timeout(PATIENCE, query.execute(self.speak()?)).await;
        self.hear(before, answer).map(drop)
    }

    /// Until it is heard what comes of it, nobody else may have the session.
    fn speak(&mut self) -> Result<&mut PgConnection, StoreError> {
        self.state = State::Speaking;
        let lost = StoreError::Unavailable(sqlx::Error::WorkerCrashed);
        self.connection.as_mut().ok_or(lost)
    }

    fn hear<T>(&mut self, before: State, answer: Answer<T>) -> Result<T, StoreError> {
        let answer = answer.unwrap_or_else(|_| {
            let late = std::io::Error::from(std::io::ErrorKind::TimedOut);
            Err(sqlx::Error::Io(late))
        });
        self.state = match (&answer, before) {
            (Err(_), State::Begun) => State::Failed,
            _ => before,
        };
        answer.map_err(|error| {
            if ends_session(&error) {
                self.connection = None;
                self.pool.doubt();
            }
            error.into()
        })
    }
}

/// A question, so that it can be asked again.
struct Asked {
    sql: SqlStr,
    arguments: PgArguments,
    persistent: bool,
    again: bool,
}

impl Asked {
    fn new<T>(mut query: Rows<'_, T>) -> Result<Self, StoreError>
    where
        T: Send + Unpin + for<'r> FromRow<'r, PgRow>,
    {
        let arguments = query.take_arguments().map_err(sqlx::Error::Encode)?;
        Ok(Self {
            arguments: arguments.unwrap_or_default(),
            persistent: sqlx::Execute::persistent(&query),
            sql: query.sql(),
            again: false,
        })
    }

    fn rows<T>(&self) -> Rows<'static, T>
    where
        T: Send + Unpin + for<'r> FromRow<'r, PgRow>,
    {
        sqlx::query_as_with(self.sql.clone(), self.arguments.clone()).persistent(self.persistent)
    }
}

/// No row holds a text that cannot be written, so that whoever asks for one finds none.
fn or_nothing<T: Default>(answer: Result<T, StoreError>) -> Result<T, StoreError> {
    match answer {
        Err(StoreError::Unavailable(error)) if is_text_unwritable(&error) => Ok(T::default()),
        answer => answer,
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        let idle = Idle {
            connection,
            generation: self.generation,
            since: Instant::now(),
        };
        if self.state == State::Idle {
            self.pool.keep(idle);
        } else if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(roll_back(idle, self.pool.clone(), self.permit.take()));
        }
    }
}

/// Ends what was open or unheard before anybody else has the session. What the interrupted statement has still to say
/// comes first, and may be an error.
async fn roll_back(mut idle: Idle, pool: Pool, _permit: Option<OwnedSemaphorePermit>) {
    for _ in 0..2 {
        let rollback = sqlx::raw_sql("ROLLBACK").execute(&mut idle.connection);
        match timeout(PATIENCE, rollback).await {
            Ok(Ok(_)) => return pool.keep(idle),
            Ok(Err(sqlx::Error::Database(_))) => {}
            Ok(Err(_)) | Err(_) => return,
        }
    }
}
