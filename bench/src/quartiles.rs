//! The middle of a handful of figures, and how far they lie apart.

use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Quartiles {
    pub q1: f64,
    pub median: f64,
    pub q3: f64,
}

impl Quartiles {
    /// # Panics
    /// Without a figure.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = figures.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        Self { q1: at(&sorted, 0.25), median: at(&sorted, 0.5), q3: at(&sorted, 0.75) }
    }
}

/// The figure below which this part of the sorted ones lies, between two where it falls between them.
pub fn at(sorted: &[f64], part: f64) -> f64 {
    let place = part * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    low + (high - low) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_and_the_quarters() {
        let quartiles = Quartiles::of([5.0, 1.0, 3.0, 2.0, 4.0]);
        assert_eq!(quartiles, Quartiles { q1: 2.0, median: 3.0, q3: 4.0 });
        assert_eq!(Quartiles::of([1.0, 2.0]).median, 1.5);
        assert_eq!(at(&[7.0], 0.99), 7.0);
    }
}
