//! Decisions read from octets.

use crate::edit::EDIT;

/// Octets that are used up decision by decision. Behind their end every decision is the first one, so that whatever
/// they describe is finite.
#[derive(Clone, Debug)]
pub struct Choices<'o> {
    octets: &'o [u8],
    at: usize,
}

impl<'o> Choices<'o> {
    /// Decisions from the start of the octets.
    pub fn new(octets: &'o [u8]) -> Self {
        Self { octets, at: 0 }
    }

    /// A number below `end`, which is at most 65,536; 0 behind the end of the octets.
    pub fn below(&mut self, end: usize) -> usize {
        let mut number = usize::from(self.octet());
        if end > 256 {
            number = number << 8 | usize::from(self.octet());
        }
        number % end.max(1)
    }

    /// True once in `of` times; never behind the end of the octets.
    pub fn one_in(&mut self, of: usize) -> bool {
        self.below(of.max(2)) == 1
    }

    /// One of several.
    pub fn pick<T: Copy>(&mut self, among: &[T]) -> T {
        among[self.below(among.len())]
    }

    /// Puts things in another order.
    pub fn shuffle<T>(&mut self, things: &mut [T]) {
        for at in (1..things.len()).rev() {
            let other = at - self.below(at + 1);
            things.swap(at, other);
        }
    }

    /// A script of that many edits (see [`edited`](crate::edit::edited)).
    pub fn script(&mut self, edits: usize) -> Vec<u8> {
        (0..edits * EDIT).map(|_| self.octet()).collect()
    }

    fn octet(&mut self) -> u8 {
        let octet = self.octets.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        octet
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behind_the_end_everything_is_plain() {
        let mut choices = Choices::new(&[1, 255]);
        assert!(choices.one_in(2));
        assert_eq!(choices.below(1000), (255 << 8) % 1000);
        assert!(!choices.one_in(2));
        let mut order = [1, 2, 3];
        choices.shuffle(&mut order);
        assert_eq!(order, [1, 2, 3]);
    }
}
