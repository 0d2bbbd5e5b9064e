//! The browser's part of the log: further lines, following, searching, the address of a line.

use super::{
    log_buffer::{LogBuffer, Taken},
    log_html,
    log_view::Log,
    log_window::{self, Window},
    server::get_log,
};
use crate::{
    components::{copy::copy, toast::Messages},
    live,
};
use leptos::{leptos_dom::helpers::request_animation_frame, prelude::*, task::spawn_local};
use model::views::LogItem;
use wasm_bindgen::{JsCast, JsValue};

/// Lines asked for at once.
const PIECE: i64 = 5_000;
/// Pixels from the end that still count as the end.
const NEAR_END: i32 = 48;

/// Begins once the view is in the page.
pub fn start(log: Log) {
    let owner = Owner::current();
    Effect::new(move |begun: Option<bool>| {
        let (Some(_), Some(_)) = (log.frame.get(), log.lines.get()) else { return false };
        if begun == Some(true) {
            return true;
        }
        let marked = marked_line();
        log.follow.set(log.running.get_untracked() && marked.is_none());
        log.window.set_value(Window::watch(log));
        let owner = owner.clone();
        spawn_local(async move {
            if !log.is_complete {
                fetch_rest(log).await;
            }
            if log.running.try_get_untracked().is_none() {
                return;
            }
            match marked {
                Some(seq) => mark(log, seq, true),
                None if log.from_end => request_animation_frame(move || to_end(log)),
                None => {}
            }
            if log.running.get_untracked()
                && let Some(owner) = owner
            {
                owner.with(|| follow_live(log));
            }
        });
        true
    });
    Effect::new(move |_| {
        if log.follow.get() {
            keep_up(log);
        }
    });
    search(log);
}

/// Lines that were written before the page was opened.
async fn fetch_rest(log: Log) {
    loop {
        let Some(after) = log.buffer.try_with_value(LogBuffer::last) else { return };
        let Ok(page) = get_log(log.id, after, PIECE).await else { return };
        let is_last = page.items.len() < usize::try_from(PIECE).unwrap_or_default();
        take(log, page.items);
        if is_last {
            return;
        }
    }
}

fn follow_live(log: Log) {
    let after = move || log.buffer.try_with_value(LogBuffer::last).unwrap_or_default();
    live::on_log(log.id, after, move |items| take(log, items));
}

/// Adds lines to the page; `false` when some are missing before them.
fn take(log: Log, items: Vec<LogItem>) -> bool {
    let Some(taken) = log.buffer.try_update_value(|buffer| buffer.take(items)) else { return true };
    let Taken::From(from) = taken else { return false };
    log.window.with_value(|window| {
        if let Some(window) = window {
            log.buffer.with_value(|buffer| window.append(log, &buffer.items()[from..]));
        }
    });
    log.count.set(log.buffer.with_value(|buffer| buffer.items().len()));
    if !log.search.query.read_untracked().is_empty() {
        log.search.query.notify();
    }
    if log.follow.get_untracked() {
        keep_up(log);
    }
    true
}

fn to_end(log: Log) {
    if let Some(Some(frame)) = log.frame.try_get_untracked() {
        frame.set_scroll_top(frame.scroll_height());
    }
}

/// Scrolls to the end with the next picture, if it is still followed then.
fn keep_up(log: Log) {
    request_animation_frame(move || {
        if log.follow.try_get_untracked() == Some(true) && log.held.try_get_value() == Some(false) {
            to_end(log);
        }
    });
}

/// Someone turns the wheel or presses a key to see what is above. The browser scrolls bit by bit, and each line that
/// comes meanwhile would take it back to the end: so what is meant counts, not how far it came.
pub fn reads(log: Log) {
    if log.frame.get_untracked().is_some_and(|frame| frame.scroll_top() > 0) {
        log.follow.set(false);
    }
}

/// Someone scrolled: up means to read, down to the end means to follow again.
pub fn scrolled(log: Log) {
    let Some(frame) = log.frame.get_untracked() else { return };
    let top = frame.scroll_top();
    let before = log.top.try_update_value(|before| std::mem::replace(before, top)).unwrap_or(top);
    let is_at_end = frame.scroll_height() - top - frame.client_height() < NEAR_END;
    let follows = log.follow.get_untracked();
    if follows && top < before && !is_at_end {
        log.follow.set(false);
    } else if !follows && top > before && is_at_end && log.running.get_untracked() {
        log.follow.set(true);
    }
}

/// A click on a line's number: marks the line, puts it in the address bar, and copies the address.
pub fn clicked(log: Log, event: &web_sys::MouseEvent, toasts: Messages) {
    let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    let number = target.and_then(|target| target.closest(".log-number").ok().flatten());
    let Some(number) = number.filter(|_| !(event.ctrl_key() || event.meta_key() || event.shift_key())) else { return };
    let Some(hash) = number.get_attribute("href") else { return };
    event.prevent_default();
    if let Some(seq) = hash.strip_prefix("#L").and_then(|seq| seq.parse().ok()) {
        mark(log, seq, false);
    }
    if let Ok(history) = window().history() {
        let _ = history.replace_state_with_url(&history.state().unwrap_or(JsValue::NULL), "", Some(&hash));
    }
    let Ok(address) = window().location().href() else { return };
    spawn_local(async move {
        if copy(address).await {
            toasts.say(format!("Link to line {} copied", hash.trim_start_matches("#L")));
        }
    });
}

/// The line that the page's address names.
pub fn marked_line() -> Option<i64> {
    let hash = window().location().hash().ok()?;
    hash.strip_prefix("#L")?.parse().ok()
}

fn mark(log: Log, seq: i64, scroll: bool) {
    if let Ok(old) = document().query_selector(".log-marked")
        && let Some(old) = old
    {
        let _ = old.class_list().remove_1("log-marked");
    }
    let Some(line) = log_window::line(log, seq) else { return };
    let _ = line.class_list().add_1("log-marked");
    if scroll {
        to_middle(&line);
    }
}

fn to_middle(line: &web_sys::Element) {
    let options = web_sys::ScrollIntoViewOptions::new();
    options.set_block(web_sys::ScrollLogicalPosition::Center);
    line.scroll_into_view_with_scroll_into_view_options(&options);
}

/// Scrolls the log, and only the log, so that the line is in its middle. Blocks that were never laid out have an
/// estimated height: once they are, it is done again.
fn show(log: Log, line: &web_sys::Element) {
    let line = line.clone();
    let scroll = move || {
        let Some(Some(frame)) = log.frame.try_get_untracked() else { return };
        let (inner, outer) = (line.get_bounding_client_rect(), frame.get_bounding_client_rect());
        let away = inner.top() - outer.top() - (outer.height() - inner.height()) / 2.0;
        frame.scroll_by_with_x_and_y(0.0, away);
    };
    scroll();
    request_animation_frame(scroll);
}

fn search(log: Log) {
    let search = log.search;
    let shown = StoredValue::new(Vec::<i64>::new());
    Effect::new(move |before: Option<String>| {
        let query = search.query.get();
        let hits: Vec<i64> = log.buffer.with_value(|buffer| {
            let has = |item: &&LogItem| !log_html::find(&super::ansi::plain(&item.text), &query).is_empty();
            if query.is_empty() { Vec::new() } else { buffer.items().iter().filter(has).map(|item| item.seq).collect() }
        });
        let is_same = before.as_ref() == Some(&query);
        let old = shown.get_value();
        // Lines that no longer match lose their marks; lines that still do may have them elsewhere.
        let stale = old.iter().filter(|seq| !is_same || hits.binary_search(seq).is_err());
        let fresh = hits.iter().filter(|seq| !is_same || old.binary_search(seq).is_err());
        for (seq, query) in stale.map(|seq| (seq, "")).chain(fresh.map(|seq| (seq, query.as_str()))) {
            redraw(log, *seq, query);
        }
        shown.set_value(hits.clone());
        search.hits.set(hits);
        if !is_same {
            search.current.set(0);
            if !query.is_empty() {
                log.follow.set(false);
            }
        }
        query
    });
    Effect::new(move |before: Option<Option<i64>>| {
        let hit = search.hits.read().get(search.current.get()).copied();
        if before.flatten() == hit {
            return hit;
        }
        if let Ok(Some(old)) = document().query_selector(".log-hit") {
            let _ = old.class_list().remove_1("log-hit");
        }
        if let Some(line) = hit.and_then(|seq| log_window::line(log, seq)) {
            let _ = line.class_list().add_1("log-hit");
            show(log, &line);
        }
        hit
    });
}

fn redraw(log: Log, seq: i64, query: &str) {
    let html = log.buffer.with_value(|buffer| {
        let items = buffer.items();
        let at = items.binary_search_by_key(&seq, |item| item.seq).ok()?;
        Some(log_html::line_text(&items[at].text, query))
    });
    let text = document().get_element_by_id(&format!("L{seq}")).and_then(|line| line.last_element_child());
    if let (Some(html), Some(text)) = (html, text) {
        text.set_inner_html(&html);
    }
}
