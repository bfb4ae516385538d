//! End to end over HTTP: one binary, a module a subject.

mod counterparts;
mod documentation;
mod logout;
