//! A domain with its records and what can be done about it.

use super::{
    record::Record,
    server::{CheckDomain, RemoveDomain, SetPrimaryDomain},
};
use crate::{
    components::{Alert, Button, DomainPill, Glyph, Icon, Look, TimeAgo, Tone},
    form::Form,
};
use leptos::{form::ActionForm, prelude::*};
use leptos_router::hooks::use_query_map;
use model::{
    SiteId,
    views::{CertificateState, DomainView, VerificationState},
};

/// What can be done with a domain.
#[derive(Clone, Copy)]
pub struct Forms {
    /// Looks for its record.
    pub check: Form<CheckDomain>,
    /// Makes it the primary one.
    pub primary: Form<SetPrimaryDomain>,
    /// Removes it.
    pub remove: Form<RemoveDomain>,
}

/// The line.
#[component]
pub fn Line(
    /// Whose.
    site: SiteId,
    /// The domain.
    domain: DomainView,
    /// The visitor may change it.
    may_write: bool,
    /// What can be done with it.
    forms: Forms,
) -> impl IntoView {
    let state = domain.verification.state;
    let is_verified = state != VerificationState::Pending;
    let shown = domain.name.clone();
    let in_ascii = (domain.host != domain.name).then(|| domain.host.clone());
    let heading = if is_verified {
        view! {
            <a href=domain.url.clone() rel="external" class="link-quiet inline-flex max-w-full items-center gap-1.5">
                <span class="truncate">{shown}</span>
                <Icon glyph=Glyph::External class="size-3.5" />
            </a>
        }
        .into_any()
    } else {
        view! { <span class="break-words">{shown}</span> }.into_any()
    };
    let verification = domain.verification.clone();
    let certificate = match domain.certificate.state {
        CertificateState::None => "No certificate: it is served over HTTP",
    };
    view! {
        <li class="flex flex-col gap-3 px-4 py-4 sm:px-5">
            <div class="flex flex-wrap items-start justify-between gap-x-4 gap-y-2">
                <h3 class="min-w-0 flex-1 text-sm font-medium">{heading}</h3>
                <span class="flex flex-wrap gap-2">
                    {domain.primary.then(|| view! { <span class="pill tone-info">"Primary"</span> })}
                    <DomainPill state />
                </span>
            </div>
            <p class="flex flex-wrap gap-x-3 gap-y-1 text-xs text-muted">
                <span>
                    {match verification.checked_at {
                        Some(at) => view! { "Looked at " <TimeAgo at /> }.into_any(),
                        None => "Not looked at yet".into_any(),
                    }}
                </span>
                {is_verified.then_some(certificate)} {in_ascii.map(|host| view! { <span class="font-mono">{host}</span> })}
            </p>
            {verification
                .problem
                .map(|problem| {
                    let tone = if is_verified { Tone::Warning } else { Tone::Info };
                    view! { <Alert tone>{problem}</Alert> }
                })}
            {(state != VerificationState::Verified)
                .then(|| {
                    view! {
                        <div class="flex flex-col gap-2">
                            <p class="text-sm">
                                "Set this record where the domain's DNS is kept. It proves that the domain is yours."
                            </p>
                            <Record record=verification.record />
                        </div>
                    }
                })}
            <Routing domain=domain.clone() open=!is_verified />
            {may_write.then(|| view! { <Acts site domain forms /> })}
        </li>
    }
}

/// The records that lead visitors here.
#[component]
fn Routing(domain: DomainView, open: bool) -> impl IntoView {
    let has_choice = domain.routing.len() > 1;
    view! {
        <details open=open class="text-sm">
            <summary class="cursor-pointer py-1 font-medium">"Leading visitors here"</summary>
            <div class="flex flex-col gap-3 pt-2">
                <p class="text-muted">
                    {if has_choice {
                        "One of these records is enough. A domain's own name, such as example.org, can have no CNAME: take the addresses for it."
                    } else {
                        "Set this record. A domain's own name, such as example.org, can have no CNAME: ask the operator for the machine's address, and set an A record to it."
                    }}
                </p>
                {domain.routing.into_iter().map(|record| view! { <Record record /> }).collect_view()}
            </div>
        </details>
    }
}

#[component]
fn Acts(site: SiteId, domain: DomainView, forms: Forms) -> impl IntoView {
    let (checked, chosen) = (domain.id.to_string(), domain.id.to_string());
    let is_verified = domain.verification.state != VerificationState::Pending;
    let primary = domain.primary;
    view! {
        <div class="flex flex-wrap items-center gap-2">
            <ActionForm action=forms.check.action>
                <input type="hidden" name="site" value=site.to_string() />
                <input type="hidden" name="id" value=checked />
                <Button kind="submit" icon=Glyph::Repeat busy=forms.check.pending>
                    "Check now"
                </Button>
            </ActionForm>
            {is_verified
                .then(|| {
                    view! {
                        <ActionForm action=forms.primary.action>
                            <input type="hidden" name="site" value=site.to_string() />
                            <input type="hidden" name="id" value=chosen />
                            <input type="hidden" name="primary" value=(!primary).to_string() />
                            <Button kind="submit" busy=forms.primary.pending>
                                {if primary { "No longer primary" } else { "Make primary" }}
                            </Button>
                        </ActionForm>
                    }
                })}
            <Remove site domain form=forms.remove />
        </div>
    }
}

/// Asked first, by the page's address, so that it works without JavaScript too.
#[component]
fn Remove(site: SiteId, domain: DomainView, form: Form<RemoveDomain>) -> impl IntoView {
    let query = use_query_map();
    let id = domain.id.to_string();
    let here = super::address(site, &domain.environment);
    let ask = format!("{here}?remove={id}");
    let asked = id.clone();
    let is_going = Memo::new(move |_| query.read().get("remove").is_some_and(|it| it == asked));
    let (name, environment) = (domain.name, domain.environment);
    move || {
        let (here, ask, id) = (here.clone(), ask.clone(), id.clone());
        let (name, environment) = (name.clone(), environment.clone());
        if is_going.get() {
            view! {
                <ActionForm action=form.action attr:class="flex flex-wrap items-center gap-2">
                    <input type="hidden" name="site" value=site.to_string() />
                    <input type="hidden" name="id" value=id />
                    <input type="hidden" name="environment" value=environment />
                    <Button kind="submit" look=Look::Danger busy=form.pending>
                        {format!("Remove {name}: it stops answering here")}
                    </Button>
                    <a href=here data-noscroll class="btn btn-ghost">
                        "Keep it"
                    </a>
                </ActionForm>
            }
            .into_any()
        } else {
            let label = format!("Remove {name}");
            view! {
                <a href=ask data-noscroll class="btn btn-ghost" aria-label=label>
                    <Icon glyph=Glyph::Trash />
                    "Remove"
                </a>
            }
            .into_any()
        }
    }
}
