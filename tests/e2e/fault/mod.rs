//! What fails around the gateway, with logins running.

mod redis;
mod redis_failover;
mod redis_start;
