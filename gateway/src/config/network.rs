//! IP networks of trusted proxies.

use std::net::IpAddr;

/// An address, or a network in CIDR notation (RFC 4632).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Reads `10.0.0.0/8`, `2001:db8::/32` or a lone address. Host bits must be zero: `10.1.2.3/8` is a slip.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok()?,
            Some(_) => return None,
            None => width,
        };
        (prefix <= width && bits(address) & !mask(prefix, width) == 0)
            .then_some(Self { address, prefix })
    }

    /// Whether an address is inside. An IPv4 address that came in IPv6 clothes (RFC 4291 2.5.5.2) counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let width = if address.is_ipv4() { 32 } else { 128 };
        address.is_ipv4() == self.address.is_ipv4()
            && bits(address) & mask(self.prefix, width) == bits(self.address)
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

/// Ones for the network's bits, zeroes for the host's, in a number of `width` bits.
fn mask(prefix: u8, width: u8) -> u128 {
    let all = if width == 32 {
        u128::from(u32::MAX)
    } else {
        u128::MAX
    };
    let host = u32::from(width.saturating_sub(prefix));
    all & !u128::MAX.checked_shr(128 - host).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(network: &str, address: &str) -> bool {
        Network::parse(network)
            .unwrap()
            .contains(address.parse().unwrap())
    }

    #[test]
    fn an_address_is_inside_its_network_alone() {
        assert!(holds("10.0.0.0/8", "10.255.1.2") && !holds("10.0.0.0/8", "11.0.0.0"));
        assert!(holds("127.0.0.1", "127.0.0.1") && !holds("127.0.0.1", "127.0.0.2"));
        assert!(holds("0.0.0.0/0", "255.255.255.255") && !holds("0.0.0.0/0", "::1"));
        assert!(
            holds("2001:db8::/32", "2001:db8:ffff::1") && !holds("2001:db8::/32", "2001:db9::")
        );
        assert!(holds("::/0", "ffff::") && holds("10.0.0.0/8", "::ffff:10.1.1.1"));
    }

    #[test]
    fn what_is_no_network_is_not_read() {
        for bad in [
            "",
            "10.0.0.0/33",
            "10.1.2.3/8",
            "::1/129",
            "a/8",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "10.0.0.0/8/8",
            "10/8",
        ] {
            assert_eq!(Network::parse(bad), None, "{bad}");
        }
    }
}
