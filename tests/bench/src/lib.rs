//! What the benchmarks share: samples and their percentiles, CPU time, and the one line each prints.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly"))]

mod cpu;
mod meeting;
mod samples;

pub use cpu::CpuTime;
pub use meeting::{APP, Hall, KEY, entered, event, left, params, quiet, with_video};
pub use samples::Samples;

use serde_json::{Map, Value};

/// Prints the result: one line of JSON, the benchmark's name first, then `facts` (an object).
#[allow(clippy::print_stdout, reason = "the line is what a benchmark is for")]
pub fn report(name: &str, facts: &Value) {
    println!("{}", line(name, facts));
}

fn line(name: &str, facts: &Value) -> String {
    let facts =
        facts.as_object().cloned().unwrap_or_else(|| Map::from_iter([("value".into(), facts.clone())]));
    let facts = serde_json::to_string(&facts).unwrap_or_default();
    let name = Value::from(name);
    match facts.strip_prefix('{') {
        Some("}") | None => format!("{{\"bench\":{name}}}"),
        Some(rest) => format!("{{\"bench\":{name},{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_line_is_one_json_object_that_begins_with_the_name() {
        let text = line("glass", &json!({ "p50_ms": 41.5 }));
        assert_eq!(text, r#"{"bench":"glass","p50_ms":41.5}"#);
        assert_eq!(line("enter", &json!({})), r#"{"bench":"enter"}"#);
        assert_eq!(line("enter", &json!(7)), r#"{"bench":"enter","value":7}"#);
    }
}
