//! The outcome as a picture: for each view a square of dots. From left to right stands when an order
//! was read, from bottom to top when it was sent. What is read as it was sent makes a straight line.

use std::fmt::Write;

use super::words::overtaking;
use super::{ORDERS, Outcome, View};
use crate::labs::partitions::Seen;

/// A panel's side, and the room around it.
const SIDE: f64 = 200.0;
const LEFT: f64 = 30.0;
const TOP: f64 = 44.0;
const STEP_X: f64 = 250.0;
const STEP_Y: f64 = 276.0;
/// Which views are drawn.
const PANELS: [usize; 4] = [0, 1, 2, 4];

/// Colours come from the page that the picture stands in, or are these.
const STYLE: &str = "\
.order text{font:13px \"Open Sans\",sans-serif;fill:var(--fg,#1d2024)}\
.order .o-quiet{font-size:11px;fill:var(--quiet,#5d636a)}\
.order .o-box{fill:none;stroke:var(--quiet,#8a9098);stroke-width:1}\
.order .o-dots{fill:none;stroke-width:3;stroke-linecap:round}\
.order .o-0{stroke:var(--mark,#0b5a9c)}.order .o-1{stroke:var(--warm,#c4560c)}\
.order .o-2{stroke:#3d9a63}.order .o-3{stroke:#9a63c4}.order .o-4{stroke:#c0508a}\
.order .o-5{stroke:#8a8d20}\
.order .o-story{fill:none;stroke:var(--fg,#1d2024);stroke-width:1.6}\
.order .o-grown{stroke:var(--quiet,#8a9098);stroke-dasharray:4 4}";

pub fn svg(outcome: &Outcome) -> String {
    let (width, height) = (2.0 * STEP_X, 2.0 * STEP_Y);
    let mut svg = String::new();
    // A string takes all.
    let _ = writeln!(
        svg,
        "<svg class=\"order\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-labelledby=\"order-title order-desc\" xmlns=\"http://www.w3.org/2000/svg\">\n\
         <title id=\"order-title\">In what order {ORDERS} orders were read</title>\n\
         <desc id=\"order-desc\">Four squares of dots, one dot an order. One partition: a straight \
         line. Three partitions: a band of three lines. Sorted by time: a straight line again. Three \
         partitions that become six: the new partitions' lines run ahead of the old ones'.</desc>\n\
         <style>{STYLE}</style>"
    );
    let panels = PANELS.iter().filter_map(|at| outcome.views.get(*at));
    for (n, view) in panels.enumerate() {
        let (x, y) = (LEFT + STEP_X * (n % 2) as f64, TOP + STEP_Y * (n / 2) as f64);
        panel(view, x, y, &mut svg);
    }
    svg += "</svg>\n";
    svg
}

fn panel(view: &View, x: f64, y: f64, svg: &mut String) {
    let (bottom, right) = (y + SIDE, x + SIDE);
    let _ = writeln!(svg, "<text x=\"{x}\" y=\"{}\">{}</text>", y - 10.0, view.title);
    let _ = writeln!(
        svg,
        "<rect class=\"o-box\" x=\"{x}\" y=\"{y}\" width=\"{SIDE}\" height=\"{SIDE}\"/>"
    );
    let _ = writeln!(
        svg,
        "<text class=\"o-quiet\" x=\"{right}\" y=\"{}\" text-anchor=\"end\">read →</text>",
        bottom + 16.0
    );
    let _ = writeln!(
        svg,
        "<text class=\"o-quiet\" transform=\"translate({} {y}) rotate(-90)\" text-anchor=\"end\">sent →</text>",
        x - 8.0
    );
    let all = ORDERS as f64;
    let place = |at: usize, number: u64| {
        (x + SIDE * (at as f64 + 0.5) / all, bottom - SIDE * (number as f64 - 0.5) / all)
    };
    let last = view.seen.iter().map(|seen| seen.partition).max().unwrap_or(0);
    for partition in 0..=last {
        let mut dots = String::new();
        for (at, seen) in view.seen.iter().enumerate().filter(|(_, s)| s.partition == partition) {
            let (x, y) = place(at, seen.number);
            let _ = write!(dots, "M{x:.1} {y:.1}h0");
        }
        let _ = writeln!(svg, "<path class=\"o-dots o-{}\" d=\"{dots}\"/>", partition % 6);
    }
    if last > 2 {
        let (_, grown) = place(0, ORDERS / 2);
        let _ = writeln!(svg, "<path class=\"o-box o-grown\" d=\"M{x} {grown:.1}H{right}\"/>");
    }
    if let Some((early, late)) = overtaking(&view.seen) {
        story(view, early, late, place, svg);
    }
}

/// Two rings and a line: an order, and a later one of the same user that was read before it.
fn story(
    view: &View,
    early: &Seen,
    late: &Seen,
    place: impl Fn(usize, u64) -> (f64, f64),
    svg: &mut String,
) {
    let at = |wanted: &Seen| view.seen.iter().position(|seen| seen == wanted).unwrap_or_default();
    let ((x1, y1), (x2, y2)) = (place(at(early), early.number), place(at(late), late.number));
    let _ = writeln!(
        svg,
        "<path class=\"o-story\" d=\"M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}\"/>\
         <circle class=\"o-story\" cx=\"{x1:.1}\" cy=\"{y1:.1}\" r=\"5\"/>\
         <circle class=\"o-story\" cx=\"{x2:.1}\" cy=\"{y2:.1}\" r=\"5\"/>"
    );
}
