//! RSA keys that a flawed chip made (CVE-2017-15361, "ROCA").
//!
//! Its primes are k·M + (65537^a mod M) with M the product of the first primes, so that the modulus is a power
//! of 65537 modulo each of them, and a key of 2048 bits can be factored. For a modulus that was not made so, that
//! holds for all the primes below with a probability under 2^-27.

use openssl::bn::BigNumRef;
use openssl::error::ErrorStack;

const GENERATOR: u64 = 65_537;
const PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

/// Whether the modulus carries that chip's fingerprint.
pub(super) fn has_fingerprint(modulus: &BigNumRef) -> Result<bool, ErrorStack> {
    for prime in PRIMES {
        if !is_power_of_generator(modulus.mod_word(prime)?, u64::from(prime)) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_power_of_generator(residue: u64, prime: u64) -> bool {
    let mut power = 1;
    loop {
        if power == residue {
            return true;
        }
        power = power * GENERATOR % prime;
        if power == 1 {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use openssl::bn::{BigNum, BigNumContext};

    use super::*;
    use crate::samples;

    #[test]
    fn a_modulus_of_that_shape_is_recognized() {
        let mut scratch = BigNumContext::new().unwrap();
        let mut product = BigNum::from_u32(2).unwrap();
        for prime in PRIMES {
            product.mul_word(prime).unwrap();
        }
        let (mut power, mut modulus) = (BigNum::new().unwrap(), BigNum::new().unwrap());
        let generator = BigNum::from_u32(65_537).unwrap();
        power
            .mod_exp(
                &generator,
                &BigNum::from_u32(123_456).unwrap(),
                &product,
                &mut scratch,
            )
            .unwrap();
        modulus.lshift(&product, 1900).unwrap();
        let shaped = &modulus + &power;
        assert!(has_fingerprint(&shaped).unwrap());
        assert!(!has_fingerprint(&(&shaped + &generator)).unwrap());
    }

    #[test]
    fn an_ordinary_modulus_is_not() {
        let key = samples::rsa();
        assert!(!has_fingerprint(key.public().pkey().rsa().unwrap().n()).unwrap());
    }
}
