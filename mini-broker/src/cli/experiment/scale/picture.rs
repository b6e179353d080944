//! The outcome as a picture: a curve for each number of partitions. From left to right stand the
//! consumers, from bottom to top the records a second.

use std::fmt::Write;

use super::{COUNTS, Outcome};
use crate::cli::terminal::thousands;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 520.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 256.0;

/// Colours come from the page that the picture stands in, or are these.
const STYLE: &str = "\
.scale text{font:13px \"Open Sans\",sans-serif;fill:var(--fg,#1d2024)}\
.scale .s-quiet{font-size:11px;fill:var(--quiet,#5d636a)}\
.scale .s-line{fill:none;stroke:var(--quiet,#8a9098);stroke-width:1}\
.scale .s-grid{fill:none;stroke:var(--quiet,#8a9098);stroke-width:1;opacity:.3}\
.scale .s-curve{fill:none;stroke:var(--mark,#0b5a9c);stroke-width:2.2}\
.scale .s-dot{fill:var(--mark,#0b5a9c)}";

pub fn svg(outcome: &Outcome) -> String {
    let mut svg = String::new();
    // A string takes all.
    let _ = writeln!(
        svg,
        "<svg class=\"scale\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-labelledby=\"scale-title scale-desc\" xmlns=\"http://www.w3.org/2000/svg\">\n\
         <title id=\"scale-title\">What a group does in a second</title>\n\
         <desc id=\"scale-desc\">A curve for each number of partitions, by the number of consumers. {}</desc>\n\
         <style>{STYLE}</style>",
        described(outcome)
    );
    let most = outcome.cells.iter().map(|cell| cell.measured.records_per_s()).max().unwrap_or(0);
    let scale = Scale { most: most.max(1) };
    axes(&scale, &mut svg);
    for partitions in COUNTS {
        curve(outcome, partitions, &scale, &mut svg);
    }
    svg += "</svg>\n";
    svg
}

fn described(outcome: &Outcome) -> String {
    let told = COUNTS.map(|partitions| {
        let seen = COUNTS.map(|consumers| {
            outcome.at(partitions, consumers).map_or(0, |seen| seen.records_per_s()).to_string()
        });
        format!("{partitions}: {} records a second.", seen.join(", "))
    });
    told.join(" ")
}

struct Scale {
    most: u64,
}

impl Scale {
    fn x(&self, consumers: usize) -> f64 {
        LEFT + (RIGHT - LEFT) * consumers as f64 / COUNTS[COUNTS.len() - 1] as f64
    }

    fn y(&self, records_per_s: u64) -> f64 {
        BOTTOM - (BOTTOM - TOP) * records_per_s as f64 / self.most as f64
    }
}

fn axes(scale: &Scale, svg: &mut String) {
    for consumers in COUNTS {
        let x = scale.x(consumers);
        let _ = writeln!(
            svg,
            "<path class=\"s-grid\" d=\"M{x:.1} {TOP}V{BOTTOM}\"/>\
             <text class=\"s-quiet\" x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{consumers}</text>",
            BOTTOM + 16.0
        );
    }
    let _ = writeln!(
        svg,
        "<path class=\"s-line\" d=\"M{LEFT} {TOP}V{BOTTOM}H{RIGHT}\"/>\
         <text class=\"s-quiet\" x=\"{LEFT}\" y=\"{}\">records a second ↑</text>\
         <text class=\"s-quiet\" x=\"{RIGHT}\" y=\"{}\" text-anchor=\"end\">consumers →</text>",
        TOP - 10.0,
        BOTTOM + 34.0
    );
}

fn curve(outcome: &Outcome, partitions: usize, scale: &Scale, svg: &mut String) {
    let seen = COUNTS.map(|consumers| {
        (consumers, outcome.at(partitions, consumers).map_or(0, |seen| seen.records_per_s()))
    });
    let (mut path, mut dots) = (format!("M{LEFT} {BOTTOM}"), String::new());
    for (consumers, records) in seen {
        let (x, y) = (scale.x(consumers), scale.y(records));
        let _ = write!(path, "L{x:.1} {y:.1}");
        let _ = write!(dots, "<circle class=\"s-dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.4\"/>");
    }
    let (_, last) = seen[COUNTS.len() - 1];
    let y = scale.y(last);
    let s = if partitions == 1 { "" } else { "s" };
    let _ = writeln!(
        svg,
        "<path class=\"s-curve\" d=\"{path}\"/>{dots}\
         <text x=\"{:.1}\" y=\"{:.1}\">{partitions} partition{s}</text>\
         <text class=\"s-quiet\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
        RIGHT + 10.0,
        y + 4.0,
        RIGHT - 8.0,
        y - 6.0,
        thousands(last),
    );
}

#[cfg(test)]
mod tests {
    use super::super::tests::outcome;

    #[test]
    fn more_consumers_than_partitions_are_a_level_line() {
        let picture = super::svg(&outcome());
        // With one partition the curve is level from the first consumer on, with eight it is straight.
        assert!(
            picture.contains("L117.5 227.0L175.0 227.0L290.0 227.0L520.0 227.0\""),
            "{picture}"
        );
        assert!(picture.contains("L117.5 227.0L175.0 198.0L290.0 140.0L520.0 24.0\""), "{picture}");
        assert!(picture.contains(">1 partition</text>") && picture.contains(">2,400</text>"));
        assert!(picture.contains("4: 300, 600, 1200, 1200 records a second."), "{picture}");
    }
}
