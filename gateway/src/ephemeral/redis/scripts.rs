//! What Redis does in one step. Every script can be repeated after its answer was lost, and does then what it did.
//!
//! **The reign.** Replication is asynchronous and persistence is late: after a failover or a restart, what was taken
//! may be there again. So an entry that must not be taken twice carries the replication id of the master that took it
//! in, which Redis changes with each promotion and each start, and nobody takes it under another one. A failover thus
//! costs the codes in flight, and hands out none twice; it costs no round trip and no write to the database.
//!
//! **Memory.** The first write of each script is one that Redis refuses when its memory is used up: after any other write
//! it would let the rest of the script pass.

use std::sync::LazyLock;

use redis::Script;

/// Milliseconds that a taken code's value stays for the attempt that took it, whose answer may have been lost.
pub(super) const TAKEN_MILLISECONDS: u64 = 3_000;
/// Octets of the random name of an attempt.
pub(super) const ATTEMPT_BYTES: usize = 16;

/// Defines `reign` and `now`, in milliseconds of this server's clock. 41 to 72: who took it.
const COMMON: &str = "
local reign = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
if not reign or #reign ~= 40 then return redis.error_reply('UNSUITABLE no replication id') end
local free = string.rep('-', 32)
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
";

/// Keeps a code. KEYS value, fate, the owner's waiting codes; ARGV value, remains, milliseconds, share.
/// 1 kept, 0 full.
pub(super) static PUT_CODE: LazyLock<Script> = LazyLock::new(|| {
    script(
        "
if redis.call('EXISTS', KEYS[2]) == 1 then return 1 end
if redis.call('ZCOUNT', KEYS[3], '(' .. now, '+inf') >= tonumber(ARGV[4]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
redis.call('SET', KEYS[2], reign .. free .. ARGV[2], 'PX', ARGV[3])
redis.call('ZADD', KEYS[3], now + ARGV[3], KEYS[1])
redis.call('PEXPIRE', KEYS[3], ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
return 1
",
    )
});

/// Takes a code. KEYS as for keeping it; ARGV the attempt, milliseconds that its value then stays.
/// `{'taken', value}`, `{'spent', remains}`, `{'lost'}` under another reign, `{'unknown'}`.
pub(super) static TAKE_CODE: LazyLock<Script> = LazyLock::new(|| {
    script(
        "
local fate = redis.call('GET', KEYS[2])
if not fate then return {'unknown'} end
local taker = string.sub(fate, 41, 72)
if taker ~= free and taker ~= ARGV[1] then return {'spent', string.sub(fate, 73)} end
if string.sub(fate, 1, 40) ~= reign then return {'lost'} end
local value = redis.call('GET', KEYS[1])
if not value then return {'unknown'} end
if taker == free then
    redis.call('SETRANGE', KEYS[2], 40, ARGV[1])
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
    redis.call('ZREM', KEYS[3], KEYS[1])
end
return {'taken', value}
",
    )
});

/// Keeps a large pending login. KEYS value, all that are kept, the connection's; ARGV value, milliseconds, quota,
/// share. 1 kept, 0 full.
pub(super) static PUT_PENDING: LazyLock<Script> = LazyLock::new(|| {
    script(
        "
if redis.call('EXISTS', KEYS[1]) == 1 then return 1 end
for index = 2, 3 do
    if redis.call('ZCOUNT', KEYS[index], '(' .. now, '+inf') >= tonumber(ARGV[index + 1]) then return 0 end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
for index = 2, 3 do
    redis.call('ZADD', KEYS[index], now + ARGV[2], KEYS[1])
    redis.call('PEXPIRE', KEYS[index], ARGV[2])
    redis.call('ZREMRANGEBYSCORE', KEYS[index], '-inf', now)
end
return 1
",
    )
});

/// Removes a large pending login. KEYS as for keeping it.
pub(super) static DROP_PENDING: LazyLock<Script> = LazyLock::new(|| {
    script(
        "
redis.call('ZREM', KEYS[2], KEYS[1])
redis.call('ZREM', KEYS[3], KEYS[1])
return redis.call('DEL', KEYS[1])
",
    )
});

/// Counts. KEYS counter; ARGV milliseconds that it lives. Repeated, it counts twice: a bound errs to the strict side.
pub(super) static COUNT: LazyLock<Script> = LazyLock::new(|| {
    script(
        "
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return count
",
    )
});

/// Answers the reign: everything that the others need of the server and of the user's rights is there.
pub(super) static PROBE: LazyLock<Script> = LazyLock::new(|| script("return reign"));

fn script(text: &str) -> Script {
    Script::new(&format!("{COMMON}{text}"))
}
