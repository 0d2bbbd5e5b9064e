//! Of a long log only the blocks near the window hold their lines; the others are empty and keep their height.

use super::{log_buffer::LogBuffer, log_html, log_view::Log};
use leptos::prelude::*;
use model::views::LogItem;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Element, HtmlElement, IntersectionObserver, IntersectionObserverEntry, IntersectionObserverInit};

/// What marks a block without its lines.
const AWAY: &str = "log-away";
/// Pixels of a line that is not wrapped, as in the style sheet.
const LINE: f64 = 24.0;
/// Blocks this near are filled, so that scrolling does not run into emptiness.
const MARGIN: &str = "1500px 0px";

/// Watches which blocks are near.
pub struct Window {
    observer: IntersectionObserver,
    _near: Closure<dyn Fn(js_sys::Array)>,
}

impl Window {
    /// Begins with the blocks that are there.
    pub fn watch(log: Log) -> Option<Self> {
        let near = Closure::<dyn Fn(js_sys::Array)>::new(move |entries: js_sys::Array| {
            for entry in entries.iter().map(JsCast::unchecked_into::<IntersectionObserverEntry>) {
                let block = entry.target();
                if entry.is_intersecting() { fill(log, &block) } else { empty(&block) }
            }
        });
        let options = IntersectionObserverInit::new();
        options.set_root(log.frame.get_untracked().as_deref().map(AsRef::as_ref));
        options.set_root_margin(MARGIN);
        let observer = IntersectionObserver::new_with_options(near.as_ref().unchecked_ref(), &options).ok()?;
        let window = Self { observer, _near: near };
        let blocks = log.lines.get_untracked()?.children();
        (0..blocks.length()).filter_map(|at| blocks.item(at)).for_each(|block| window.observer.observe(&block));
        Some(window)
    }

    /// Puts lines behind those that are there. Only the last ones are drawn: of the others, those that are near are
    /// drawn when the browser says so.
    pub fn append(&self, log: Log, items: &[LogItem]) {
        let Some(lines) = log.lines.get_untracked() else { return };
        let last = items.last().map(|item| log_html::block_of(item.seq));
        for group in items.chunk_by(|a, b| log_html::block_of(a.seq) == log_html::block_of(b.seq)) {
            let Some(number) = group.first().map(|item| log_html::block_of(item.seq)) else { continue };
            if let Some(block) = block(number) {
                if is_away(&block) {
                    set_height(&block, Some(block.get_bounding_client_rect().height() + height(group)));
                } else {
                    let html: String = group.iter().map(|item| log_html::line(item, "")).collect();
                    let _ = block.insert_adjacent_html("beforeend", &html);
                }
                continue;
            }
            let html = if Some(number) == last {
                log_html::blocks(group)
            } else {
                format!("<div id=\"log-block-{number}\" class=\"log-block {AWAY}\"></div>")
            };
            let _ = lines.insert_adjacent_html("beforeend", &html);
            if let Some(block) = lines.last_element_child() {
                if is_away(&block) {
                    set_height(&block, Some(height(group)));
                }
                self.observer.observe(&block);
            }
        }
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        self.observer.disconnect();
    }
}

/// The element of a line, drawn if it was not.
pub fn line(log: Log, seq: i64) -> Option<Element> {
    fill(log, &block(log_html::block_of(seq))?);
    document().get_element_by_id(&format!("L{seq}"))
}

fn block(number: i64) -> Option<Element> {
    document().get_element_by_id(&format!("log-block-{number}"))
}

/// Of lines that are not wrapped.
fn height(lines: &[LogItem]) -> f64 {
    lines.iter().map(|_| LINE).sum()
}

fn is_away(block: &Element) -> bool {
    block.class_list().contains(AWAY)
}

fn set_height(block: &Element, pixels: Option<f64>) {
    if let Some(block) = block.dyn_ref::<HtmlElement>() {
        let style = block.style();
        let _ = match pixels {
            Some(pixels) => style.set_property("height", &format!("{pixels}px")),
            None => style.remove_property("height").map(|_| ()),
        };
    }
}

fn empty(block: &Element) {
    // Where nothing is laid out there is no height to keep: the page is hidden.
    let height = block.get_bounding_client_rect().height();
    if height > 0.0 && !is_away(block) {
        set_height(block, Some(height));
        block.set_inner_html("");
        let _ = block.class_list().add_1(AWAY);
    }
}

fn fill(log: Log, block: &Element) {
    let number = block.id().strip_prefix("log-block-").and_then(|number| number.parse::<i64>().ok());
    let (Some(number), true) = (number, is_away(block)) else { return };
    let query = log.search.query.get_untracked();
    let html = log.buffer.try_with_value(|buffer: &LogBuffer| {
        let of_block = |item: &&LogItem| log_html::block_of(item.seq) == number;
        let from = buffer.items().partition_point(|item| log_html::block_of(item.seq) < number);
        buffer.items()[from..].iter().take_while(of_block).map(|item| log_html::line(item, &query)).collect::<String>()
    });
    let Some(html) = html else { return };
    block.set_inner_html(&html);
    let _ = block.class_list().remove_1(AWAY);
    set_height(block, None);
    let hit = log.search.hits.read_untracked().get(log.search.current.get_untracked()).copied();
    for (seq, class) in [(super::log_dom::marked_line(), "log-marked"), (hit, "log-hit")] {
        if let Some(seq) = seq.filter(|seq| log_html::block_of(*seq) == number)
            && let Some(line) = document().get_element_by_id(&format!("L{seq}"))
        {
            let _ = line.class_list().add_1(class);
        }
    }
}
