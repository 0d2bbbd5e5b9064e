//! What changed: before and after, line by line.

use leptos::prelude::*;
use serde_json::Value;
use std::collections::BTreeSet;

/// A line: what changed, how it was, how it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What; empty for a value without parts.
    pub name: String,
    /// How it was.
    pub before: Option<String>,
    /// How it is.
    pub after: Option<String>,
}

/// The lines of an entry; what is the same on both sides is none.
pub fn changes(before: Option<&Value>, after: Option<&Value>) -> Vec<Change> {
    let parts = |value: Option<&Value>| value.and_then(Value::as_object).cloned();
    let (old, new) = (parts(before), parts(after));
    if old.is_none() && new.is_none() {
        let (before, after) = (text(before), text(after));
        let is_change = before != after;
        return is_change.then_some(Change { name: String::new(), before, after }).into_iter().collect();
    }
    let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    names
        .into_iter()
        .map(|name| Change { name: name.replace('_', " "), before: text(old.get(name)), after: text(new.get(name)) })
        .filter(|change| change.before != change.after)
        .collect()
}

/// A value as people read it; `None` for none.
fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::Null => None,
        Value::Bool(yes) => Some(if *yes { "yes" } else { "no" }.to_owned()),
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().filter_map(|item| text(Some(item))).collect();
            (!items.is_empty()).then(|| items.join(", "))
        }
        other => Some(other.to_string()),
    }
}

/// The lines, as they are shown.
#[component]
pub fn Changes(
    /// Those to show.
    changes: Vec<Change>,
) -> impl IntoView {
    (!changes.is_empty()).then(|| {
        view! {
            <ul class="flex flex-col gap-0.5 text-xs">
                {changes
                    .into_iter()
                    .map(|Change { name, before, after }| {
                        let label = (!name.is_empty()).then(|| view! { <span class="text-muted">{name} ": "</span> });
                        view! {
                            <li class="min-w-0 break-words">
                                {label}
                                {before
                                    .map(|it| {
                                        view! {
                                            <del class="text-muted">{it}</del>
                                            <span aria-hidden="true">" → "</span>
                                        }
                                    })}
                                {match after {
                                    Some(it) => view! { <ins class="no-underline">{it}</ins> }.into_any(),
                                    None => view! { <span class="text-muted">"none"</span> }.into_any(),
                                }}
                            </li>
                        }
                    })
                    .collect_view()}
            </ul>
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn lines(before: Option<Value>, after: Option<Value>) -> Vec<(String, Option<String>, Option<String>)> {
        let lines = changes(before.as_ref(), after.as_ref());
        lines.into_iter().map(|line| (line.name, line.before, line.after)).collect()
    }

    #[test]
    fn what_stayed_the_same_is_not_told() {
        let before = json!({"name": "Shop", "role": "viewer", "watch": ["a", "b"]});
        let after = json!({"name": "Shop", "role": "admin", "watch": [], "is_paused": true});
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            lines(Some(before), Some(after)),
            [
                ("is paused".to_owned(), None, some("yes")),
                ("role".to_owned(), some("viewer"), some("admin")),
                ("watch".to_owned(), some("a, b"), None),
            ]
        );
        assert_eq!(lines(Some(json!("a")), Some(json!("b"))), [(String::new(), some("a"), some("b"))]);
        assert_eq!(lines(None, None), []);
        assert_eq!(lines(None, Some(json!({"quota": {"sites": 3}}))), [("quota".into(), None, some("{\"sites\":3}"))]);
    }
}
