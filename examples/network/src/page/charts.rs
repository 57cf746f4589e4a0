//! The pictures, as SVG
//!
//! A colour here is only a number. The style sheet says what the colour looks like.

use std::time::Duration;

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

use super::tree::{COLOURS, Dot, SHORTEST, Tree, When};
use crate::outcome::{Outcome, Spread};

pub type Error = DrawingAreaErrorKind<std::io::Error>;

/// The number of each colour
const TEXT: RGBColor = RGBColor(0, 0, 1);
const GRID: RGBColor = RGBColor(0, 0, 2);
const BAR: RGBColor = RGBColor(0, 0, 3);
const LINE: RGBColor = RGBColor(0, 0, 4);
const LATER: RGBColor = RGBColor(0, 0, 5);
const NEVER: RGBColor = RGBColor(0, 0, 6);

/// Series of the curve
pub const SERIES: usize = 8;

const fn series(number: usize) -> RGBColor {
    RGBColor(0, 1, (number % SERIES) as u8)
}

const fn shade(number: usize) -> RGBColor {
    RGBColor(0, 2, number as u8)
}

/// The size of a chart
const CHART: (u32, u32) = (460, 310);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Plane = Cartesian2d<RangedCoordf64, RangedCoordf64>;

/// A picture of this size
fn picture(size: (u32, u32), draw: impl FnOnce(&Area<'_>) -> Result<(), Error>) -> Result<String, Error> {
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
    draw(&area)?;
    area.present()?;
    drop(area);
    Ok(svg)
}

/// A chart with axes, ready for what it shows
fn axes<'a, 'b>(
    area: &'b Area<'a>,
    (right, top): (f64, f64),
    [below, beside]: [&str; 2],
) -> Result<ChartContext<'b, SVGBackend<'a>, Plane>, Error> {
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .margin_right(20)
        .x_label_area_size(40)
        .y_label_area_size(50)
        .build_cartesian_2d(0.0..right, 0.0..top)?;
    // Rounding hides the error of the last bits.
    let number = |value: &f64| ((value * 1e6).round() / 1e6).to_string();
    chart
        .configure_mesh()
        .disable_x_mesh()
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .axis_style(GRID)
        .label_style(("sans-serif", 13).with_color(TEXT))
        .x_labels(6)
        .y_labels(6)
        .x_label_formatter(&number)
        .y_label_formatter(&number)
        .x_desc(below)
        .y_desc(beside)
        .draw()?;
    Ok(chart)
}

/// What part of the nodes had each block, and the transactions, by which time
pub fn curve(outcome: &Outcome) -> Result<String, Error> {
    /// More points would not be visible in a picture of this size
    const POINTS: u32 = 200;
    let span = outcome.spreads.iter().map(Spread::span).max().unwrap_or_default().max(SHORTEST);
    let millis = |time: Duration| time.as_secs_f64() * 1000.0;
    picture(CHART, |area| {
        let mut chart = axes(area, (millis(span), 100.0), ["ms after it was made", "% of the nodes"])?;
        for (number, spread) in outcome.spreads.iter().enumerate() {
            let points = (0..=POINTS).map(|point| {
                let time = span * point / POINTS;
                (millis(time), 100.0 * spread.after(time) as f64 / spread.complete as f64)
            });
            chart.draw_series(LineSeries::new(points, series(number).stroke_width(2)))?;
        }
        Ok(())
    })
}

/// How many nodes have sent how many bytes
pub fn sent(outcome: &Outcome) -> Result<String, Error> {
    const BINS: usize = 25;
    let most = outcome.sent.iter().copied().max().unwrap_or_default().max(1) as f64 / 1e6;
    let mut bins = [0_u32; BINS];
    for bytes in &outcome.sent {
        let bin = (*bytes as f64 / 1e6 / most * BINS as f64) as usize;
        bins[bin.min(BINS - 1)] += 1;
    }
    let highest = bins.iter().copied().max().unwrap_or_default();
    picture(CHART, |area| {
        let mut chart = axes(area, (most, f64::from(highest) * 1.05), ["MB sent", "nodes"])?;
        let width = most / BINS as f64;
        chart.draw_series(bins.iter().enumerate().map(|(bin, count)| {
            let left = bin as f64 * width;
            Rectangle::new([(left + width * 0.05, 0.0), (left + width * 0.95, f64::from(*count))], BAR.filled())
        }))?;
        Ok(())
    })
}

/// The network, as the tree over which the first block came
pub fn tree(tree: &Tree) -> Result<String, Error> {
    const SIZE: u32 = 640;
    /// What is kept free around the circle
    const MARGIN: f64 = 12.0;
    let middle = f64::from(SIZE) / 2.0;
    let place = |dot: &Dot| {
        let at = |part: f64| (middle + part * (middle - MARGIN)).round() as i32;
        (at(dot.x), at(dot.y))
    };
    // However many dots there are, together they cover about the same part of the picture.
    let radius = (120.0 / (tree.dots.len() as f64).sqrt()).clamp(2.0, 8.0) as i32;
    picture((SIZE, SIZE), |area| {
        for dot in &tree.dots {
            if let Some(from) = dot.from {
                area.draw(&PathElement::new([place(&tree.dots[from]), place(dot)], LINE))?;
            }
        }
        for dot in &tree.dots {
            let style = match dot.when {
                When::Within(part) => shade(part.min(COLOURS - 1)).filled(),
                When::Later => LATER.filled(),
                When::Never => NEVER.stroke_width(2),
            };
            area.draw(&Circle::new(place(dot), radius, style))?;
        }
        Ok(())
    })
}
