//! End to end over HTTP: one binary, a module a subject.

mod chromium;
mod command;
mod configuration;
mod counterparts;
mod documentation;
mod egress;
mod lab;
mod logout;
mod management;
mod metadata;
mod op;
