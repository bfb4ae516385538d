//! End to end over HTTP: one binary, a module a subject.

mod chromium;
mod counterparts;
mod documentation;
mod lab;
mod logout;
