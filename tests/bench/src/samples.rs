//! Many measured values, told by a few of them.

use serde_json::{Value, json};

/// Measurements of one kind in one unit.
#[derive(Clone, Debug, Default)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// Takes one measurement.
    pub fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The smallest value that at least `percent` of all (0 to 100) do not exceed; NaN without any.
    pub fn percentile(&self, percent: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = (percent / 100.0 * sorted.len() as f64).ceil().max(1.0) as usize;
        sorted.get(rank.min(sorted.len()).wrapping_sub(1)).copied().unwrap_or(f64::NAN)
    }

    /// Number, median, 95th and 99th percentile and the largest, rounded to hundredths.
    pub fn summary(&self) -> Value {
        let at = |percent: f64| (self.percentile(percent) * 100.0).round() / 100.0;
        json!({ "count": self.count(), "p50": at(50.0), "p95": at(95.0), "p99": at(99.0), "max": at(100.0) })
    }
}

impl Extend<f64> for Samples {
    fn extend<I: IntoIterator<Item = f64>>(&mut self, values: I) {
        self.0.extend(values);
    }
}

impl FromIterator<f64> for Samples {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_measurements_that_were_taken() {
        let samples: Samples = (1..=100).rev().map(f64::from).collect();
        assert_eq!([50.0, 95.0, 99.0, 100.0].map(|p| samples.percentile(p)), [50.0, 95.0, 99.0, 100.0]);
        assert_eq!(Samples::from_iter([7.0]).percentile(50.0), 7.0);
        assert!(Samples::default().percentile(50.0).is_nan());
    }

    #[test]
    fn a_summary_of_nothing_holds_no_numbers() {
        assert_eq!(Samples::default().summary()["p50"], Value::Null);
    }
}
