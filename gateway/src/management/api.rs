//! The routes of the Management API and their `OpenAPI` document, which are one thing: a route is added together with
//! the [`Operation`] that describes it, and the router holds every request to that description.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use serde_json::{Map, Value};
use utoipa::openapi::path::{Paths, PathsBuilder};
use utoipa::openapi::{HttpMethod, PathItem, RefOr, Schema};

use super::ApiRefusal;
use super::answer::ApiError;
use super::caller::authorize;
use super::operation::{Operation, PathParameter, QueryParameter};
use super::query::Query;
use crate::app::{App, Shared};

/// What is in front of every path of the Management API.
pub(super) const BASE: &str = "/api/v1";

/// Routes with their descriptions.
pub(super) struct Api {
    app: Shared,
    done: Vec<Place>,
    place: Option<Place>,
    /// Schemas of answers, by name.
    pub(super) answers: Vec<(String, RefOr<Schema>)>,
    /// Schemas of bodies, by name.
    pub(super) bodies: Map<String, Value>,
}

/// One path with its methods.
struct Place {
    path: &'static str,
    parameters: &'static [PathParameter],
    item: PathItem,
    methods: MethodRouter<Shared>,
}

/// What a request must bring before its handler sees it.
struct Admission {
    scopes: &'static [&'static str],
    query: Vec<QueryParameter>,
}

impl Api {
    pub(super) fn new(app: &Shared) -> Self {
        Self {
            app: app.clone(),
            done: Vec::new(),
            place: None,
            answers: Vec::new(),
            bodies: Map::new(),
        }
    }

    /// Goes on with this path, below [`BASE`]. `parameters` are those in braces, in order.
    pub(super) fn at(mut self, path: &'static str, parameters: &'static [PathParameter]) -> Self {
        self.done.extend(self.place.take());
        self.place = Some(Place {
            path,
            parameters,
            item: PathItem::default(),
            methods: MethodRouter::new(),
        });
        self
    }

    pub(super) fn get<H: Handler<T, Shared>, T: 'static>(
        self,
        handler: H,
        operation: Operation,
    ) -> Self {
        self.on(HttpMethod::Get, MethodFilter::GET, handler, operation)
    }

    pub(super) fn post<H: Handler<T, Shared>, T: 'static>(
        self,
        handler: H,
        operation: Operation,
    ) -> Self {
        self.on(HttpMethod::Post, MethodFilter::POST, handler, operation)
    }

    pub(super) fn put<H: Handler<T, Shared>, T: 'static>(
        self,
        handler: H,
        operation: Operation,
    ) -> Self {
        self.on(HttpMethod::Put, MethodFilter::PUT, handler, operation)
    }

    pub(super) fn patch<H: Handler<T, Shared>, T: 'static>(
        self,
        handler: H,
        operation: Operation,
    ) -> Self {
        self.on(HttpMethod::Patch, MethodFilter::PATCH, handler, operation)
    }

    pub(super) fn delete<H: Handler<T, Shared>, T: 'static>(
        self,
        handler: H,
        operation: Operation,
    ) -> Self {
        self.on(HttpMethod::Delete, MethodFilter::DELETE, handler, operation)
    }

    fn on<H: Handler<T, Shared>, T: 'static>(
        mut self,
        method: HttpMethod,
        filter: MethodFilter,
        handler: H,
        operation: Operation,
    ) -> Self {
        let Some(place) = self.place.take() else {
            return self;
        };
        let admission = Arc::new(Admission {
            scopes: operation.scopes,
            query: operation.query.clone(),
        });
        let admit = middleware::from_fn_with_state((self.app.clone(), admission), admit);
        let methods = place.methods.merge(on(filter, handler).route_layer(admit));
        self.answers.extend(operation.answer_schemas.clone());
        self.bodies.extend(operation.body_schema.clone());
        let mut item = place.item;
        item.merge_operations(PathItem::new(
            method,
            operation.described(place.path, place.parameters),
        ));
        self.place = Some(Place {
            item,
            methods,
            ..place
        });
        self
    }

    /// The routes, and their paths as the document has them.
    pub(super) fn finish(&mut self) -> (Router<Shared>, Paths) {
        self.done.extend(self.place.take());
        let nothing = (Router::new(), PathsBuilder::new());
        let (router, paths) = self.done.drain(..).fold(nothing, |(router, paths), place| {
            let refused = async || ApiError::whole(ApiRefusal::MethodNotAllowed);
            let path = format!("{BASE}{}", place.path);
            (
                router.route(&path, place.methods.fallback(refused)),
                paths.path(path, place.item),
            )
        });
        (router, paths.build())
    }
}

/// Who calls and what the query says is settled before the handler runs, which finds both among the extensions.
async fn admit(
    State((app, admission)): State<(Shared, Arc<Admission>)>,
    mut request: Request,
    next: Next,
) -> Response {
    match admitted(&app, &admission, &mut request).await {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

async fn admitted(app: &App, admission: &Admission, request: &mut Request) -> Result<(), ApiError> {
    let caller = authorize(app, request.headers(), admission.scopes).await?;
    let query = Query::parse(request.uri().query(), &admission.query)?;
    request.extensions_mut().insert(caller);
    request.extensions_mut().insert(query);
    Ok(())
}
