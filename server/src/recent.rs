//! The most recent of many values, so that the same one is recognised without keeping all.

use std::{
    collections::{HashSet, VecDeque},
    hash::Hash,
};

/// Remembers the last `capacity` different values.
pub struct Recent<T> {
    capacity: usize,
    order: VecDeque<T>,
    known: HashSet<T>,
}

impl<T: Copy + Eq + Hash> Recent<T> {
    /// Remembers nothing yet.
    pub fn new(capacity: usize) -> Self {
        Self { capacity, order: VecDeque::new(), known: HashSet::new() }
    }

    /// Remembers the value; tells whether it is new.
    pub fn insert(&mut self, value: T) -> bool {
        if !self.known.insert(value) {
            return false;
        }
        self.order.push_back(value);
        if self.order.len() > self.capacity
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_new_once_while_it_is_recent() {
        let mut recent = Recent::new(2);
        assert!(recent.insert(1) && !recent.insert(1));
        assert!(recent.insert(2) && recent.insert(3));
        assert!(recent.insert(1), "forgotten by now");
        assert!(!recent.insert(3));
    }
}
