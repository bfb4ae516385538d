//! End to end over HTTP: one binary, a module a subject.

#![allow(
    clippy::expect_used,
    reason = "what a test needs and does not get ends the test"
)]

mod catalogue;
mod chromium;
mod command;
mod configuration;
mod counterparts;
mod crash;
mod documentation;
mod egress;
mod encryption;
mod explanations;
mod fault;
mod https;
mod keys;
mod kinde_client;
mod lab;
mod limits;
mod logout;
mod management;
mod metadata;
mod oidc_flow;
mod op;
mod operations;
mod pending;
mod people;
mod replica;
mod routing;
mod saml_flow;
mod saml_request;
mod schemathesis;
mod second_opinion;
mod session;
mod setup;
mod stranger;
mod trust;
mod upstream;
