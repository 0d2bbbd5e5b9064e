//! The filters, as a form that only leads to another address, and the addresses of what they find.

use super::words;
use crate::{
    components::{Button, Field, Glyph, Icon},
    failure::Failure,
};
use leptos::prelude::*;
use leptos_router::{location::Url, params::ParamsMap};
use model::views::AuditFilter;

/// The filters of an address.
pub fn of_address(query: &ParamsMap) -> AuditFilter {
    let value = |name: &str| query.get(name);
    AuditFilter {
        actor: value("actor"),
        action: value("action"),
        target: value("target"),
        from: value("from"),
        until: value("until"),
    }
    .trimmed()
}

/// An address with these filters and what else it says.
pub fn address(path: &str, filter: &AuditFilter, more: &[(&str, &str)]) -> String {
    let pairs = filter.set().into_iter().chain(more.iter().copied());
    let pairs: Vec<String> = pairs.map(|(name, value)| format!("{name}={}", Url::escape(value))).collect();
    if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
}

/// The form.
#[component]
pub fn Filters(
    /// What is set.
    filter: AuditFilter,
    /// Why they were refused.
    refused: Option<Failure>,
    /// Without them.
    #[prop(into)]
    here: String,
) -> impl IntoView {
    let error = |name: &str| {
        let words = refused.as_ref().and_then(|failure| failure.field(name)).map(str::to_owned);
        Signal::stored(words)
    };
    let errors = [error("actor"), error("action"), error("target"), error("from"), error("until")];
    let [actor, action, target, from, until] = errors;
    let all = here.clone();
    let is_set = !filter.set().is_empty();
    let chosen = filter.action.clone().unwrap_or_default();
    let is_kind = chosen.is_empty() || words::KINDS.iter().any(|(kind, _)| *kind == chosen);
    let other = (!is_kind).then(|| chosen.clone());
    view! {
        <form method="get" action=here class="panel grid gap-4 p-4 sm:grid-cols-2 sm:p-5 lg:grid-cols-5" role="search" aria-label="Filter the audit">
            <label class="flex flex-col gap-1.5 text-sm font-medium">
                "What" <select name="action" class="field select-field h-10">
                    <option value="">"Everything"</option>
                    {other.map(|action| view! { <option value=action.clone() selected=true>{action.clone()}</option> })}
                    {words::KINDS
                        .into_iter()
                        .map(|(kind, words)| {
                            view! {
                                <option value=kind selected=kind == chosen>
                                    {words}
                                </option>
                            }
                        })
                        .collect_view()}
                </select>
                {move || action.get().map(|words| view! { <span class="field-error font-normal">{words}</span> })}
            </label>
            <Field name="actor" label="Who" marked=false verbatim=true placeholder="ada@example.org" value=filter.actor error=actor />
            <Field name="target" label="To what" marked=false placeholder="Name or id" value=filter.target error=target />
            <Field name="from" label="From" kind="date" marked=false value=filter.from error=from />
            <Field name="until" label="Until" kind="date" marked=false value=filter.until error=until />
            <div class="flex flex-wrap gap-2 sm:col-span-2 lg:col-span-5">
                <Button kind="submit" icon=Glyph::Search>
                    "Filter"
                </Button>
                {is_set
                    .then(|| {
                        view! {
                            <a href=all.clone() class="btn btn-ghost">
                                <Icon glyph=Glyph::Close />
                                "All entries"
                            </a>
                        }
                    })}
            </div>
        </form>
    }
}

#[cfg(test)]
#[cfg(feature = "ssr")]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_whatever_people_look_for() {
        let filter =
            AuditFilter { target: Some("a&b=c d".into()), action: Some("site".into()), ..AuditFilter::default() };
        assert_eq!(address("/x", &filter, &[("cursor", "1")]), "/x?action=site&target=a%26b%3Dc%20d&cursor=1");
        assert_eq!(address("/x", &AuditFilter::default(), &[]), "/x");
    }
}
