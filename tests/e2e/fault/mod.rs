//! What is under the gateway fails while people sign in. Afterwards no identity is doubled or lost, nothing counts
//! twice, and nobody had to lend a hand.

mod postgres;
mod process;
mod redis;
mod redis_failover;
mod redis_start;
mod scene;
mod tls;
