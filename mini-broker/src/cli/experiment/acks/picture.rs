//! The outcome as a picture: for each setting a strip, from left to right the time. A bar is what was
//! acknowledged within 100 ms; its striped part was lost.

use std::fmt::Write;
use std::time::Duration;

use super::round::Acknowledged;
use super::words::seconds;
use super::{Outcome, View};

const WIDTH: f64 = 640.0;
const LEFT: f64 = 16.0;
const RIGHT: f64 = 624.0;
/// A strip's height: its title, its bars, and the gap under them.
const STEP: f64 = 156.0;
const BARS: f64 = 84.0;
const TITLE: f64 = 40.0;
const BUCKET_MS: u64 = 100;

/// Colours come from the page that the picture stands in, or are these.
const STYLE: &str = "\
.acks text{font:13px \"Open Sans\",sans-serif;fill:var(--fg,#1d2024)}\
.acks .a-quiet{font-size:11px;fill:var(--quiet,#5d636a)}\
.acks .a-kept{fill:var(--mark,#0b5a9c)}\
.acks .a-lost{fill:url(#acks-lost);stroke:var(--warm,#c4560c);stroke-width:1}\
.acks .a-stripe{stroke:var(--warm,#c4560c);stroke-width:1.6}\
.acks .a-line{fill:none;stroke:var(--quiet,#8a9098);stroke-width:1}\
.acks .a-hang{fill:var(--quiet,#8a9098);opacity:.16}\
.acks .a-kill{fill:none;stroke:var(--fg,#1d2024);stroke-width:1.4;stroke-dasharray:4 3}\
.acks .a-gap{fill:none;stroke:var(--fg,#1d2024);stroke-width:1.4}";

pub fn svg(outcome: &Outcome) -> String {
    let height = STEP * outcome.views.len() as f64 + 24.0;
    let mut svg = String::new();
    // A string takes all.
    let _ = writeln!(
        svg,
        "<svg class=\"acks\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-labelledby=\"acks-title acks-desc\" xmlns=\"http://www.w3.org/2000/svg\">\n\
         <title id=\"acks-title\">What was acknowledged while a leader died, and what was lost</title>\n\
         <desc id=\"acks-desc\">A strip for each setting, with a bar for every 100 ms. {}</desc>\n\
         <style>{STYLE}</style>\n\
         <defs><pattern id=\"acks-lost\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" \
         patternTransform=\"rotate(45)\"><path class=\"a-stripe\" d=\"M0 0V5\"/></pattern></defs>",
        described(outcome)
    );
    let longest = outcome.views.iter().map(|view| view.round.ended).max().unwrap_or_default();
    // The last answer comes a little after the last record: no bar of its own for that.
    let buckets = longest.as_millis().saturating_sub(30) as u64 / BUCKET_MS + 1;
    let per_ms = (RIGHT - LEFT) / (buckets * BUCKET_MS) as f64;
    let scale = Scale { buckets, per_ms };
    for (n, view) in outcome.views.iter().enumerate() {
        strip(outcome, view, &scale, STEP * n as f64, &mut svg);
    }
    let bottom = height - 8.0;
    let _ = writeln!(
        svg,
        "<text class=\"a-quiet\" x=\"{RIGHT}\" y=\"{bottom}\" text-anchor=\"end\">time →</text>\
         <rect class=\"a-kept\" x=\"{LEFT}\" y=\"{}\" width=\"11\" height=\"11\"/>\
         <text class=\"a-quiet\" x=\"{}\" y=\"{bottom}\">acknowledged in 100 ms, and there in the end</text>\
         <rect class=\"a-lost\" x=\"290\" y=\"{}\" width=\"11\" height=\"11\"/>\
         <text class=\"a-quiet\" x=\"307\" y=\"{bottom}\">acknowledged, and lost</text>\n</svg>",
        bottom - 10.0,
        LEFT + 17.0,
        bottom - 10.0,
    );
    svg
}

fn described(outcome: &Outcome) -> String {
    let told = outcome.views.iter().map(|View { acks, round }| {
        let (from, to) = round.gap();
        let lost = round.lost.len();
        format!("{}: {lost} lost, writing stopped for {}.", acks.name(), seconds(to - from))
    });
    told.collect::<Vec<_>>().join(" ")
}

struct Scale {
    buckets: u64,
    per_ms: f64,
}

impl Scale {
    fn x(&self, time: Duration) -> f64 {
        LEFT + time.as_secs_f64() * 1_000.0 * self.per_ms
    }
}

fn strip(outcome: &Outcome, view: &View, scale: &Scale, top: f64, svg: &mut String) {
    let round = &view.round;
    let (head, base) = (top + TITLE, top + TITLE + BARS);
    let _ = writeln!(
        svg,
        "<text x=\"{LEFT}\" y=\"{}\">{}: {} of {} acknowledged records lost</text>",
        top + 18.0,
        view.acks.name(),
        round.lost.len(),
        round.acknowledged.len()
    );
    let (hung, killed) = (scale.x(round.hung), scale.x(round.killed));
    let _ = writeln!(
        svg,
        "<rect class=\"a-hang\" x=\"{hung:.1}\" y=\"{head}\" width=\"{:.1}\" height=\"{BARS}\"/>\
         <text class=\"a-quiet\" x=\"{:.1}\" y=\"{}\" text-anchor=\"end\">followers hang</text>",
        killed - hung,
        killed - 5.0,
        head - 4.0,
    );
    bars(outcome, view, scale, base, svg);
    let _ = writeln!(
        svg,
        "<path class=\"a-line\" d=\"M{LEFT} {base}H{RIGHT}\"/>\
         <path class=\"a-kill\" d=\"M{killed:.1} {}V{base}\"/>\
         <text class=\"a-quiet\" x=\"{:.1}\" y=\"{}\">kill -9</text>",
        head - 14.0,
        killed + 5.0,
        head - 4.0,
    );
    let (from, to) = round.gap();
    let (x1, x2) = (scale.x(from), scale.x(to));
    let _ = writeln!(
        svg,
        "<path class=\"a-gap\" d=\"M{x1:.1} {0}v6H{x2:.1}v-6\"/>\
         <text class=\"a-quiet\" x=\"{1:.1}\" y=\"{2}\">writing stopped for {3}</text>",
        base + 3.0,
        x2 + 6.0,
        base + 13.0,
        seconds(to - from),
    );
}

fn bars(outcome: &Outcome, view: &View, scale: &Scale, base: f64, svg: &mut String) {
    // What comes at the steady rate fills two thirds; what had gathered comes at once, and is cut.
    let usual = (outcome.plan.rate * BUCKET_MS) as f64 / 1_000.0;
    let per_record = BARS / 1.5 / usual;
    let width = BUCKET_MS as f64 * scale.per_ms;
    for bucket in 0..scale.buckets {
        let within =
            view.round.acknowledged.iter().filter(|ack| {
                bucket == (ack.at.as_millis() as u64 / BUCKET_MS).min(scale.buckets - 1)
            });
        let (lost, kept): (Vec<&Acknowledged>, Vec<&Acknowledged>) =
            within.partition(|ack| view.round.lost.contains(&ack.record));
        let all = lost.len() + kept.len();
        let x = LEFT + bucket as f64 * width + 0.8;
        let height = |records: usize| (records as f64 * per_record).min(BARS);
        // The lost part stands on top, and is seen also where the bar is cut.
        let (whole, striped) = (height(all), height(lost.len()));
        let solid = whole - striped;
        if solid > 0.0 {
            let y = base - solid;
            let _ = writeln!(
                svg,
                "<rect class=\"a-kept\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{solid:.1}\"/>",
                width - 1.6
            );
        }
        if striped > 0.0 {
            let y = base - whole;
            let _ = writeln!(
                svg,
                "<rect class=\"a-lost\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{striped:.1}\"/>",
                width - 1.6
            );
        }
        if all as f64 * per_record > BARS {
            let (x, y) = (x + width + 3.0, base - BARS + 10.0);
            let _ = writeln!(
                svg,
                "<text class=\"a-quiet\" x=\"{x:.1}\" y=\"{y:.1}\">{all} at once</text>"
            );
        }
    }
}
