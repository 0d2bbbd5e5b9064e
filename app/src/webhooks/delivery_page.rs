//! One delivery: what came of it and why, its headers and its body, and the way to take it once more.

use super::{
    address, forge,
    indent::indent,
    list::times,
    server::{ReplayDelivery, get_delivery},
};
use crate::{
    components::{
        Alert, Button, ButtonLink, FailureView, Glyph, Loading, Look, OutcomePill, PageHeader, Panel, TimeAgo, Tone,
    },
    failure::Failure,
    form::Form,
    sites::{get_site, use_site_id},
};
use leptos::{either::Either, form::ActionForm, prelude::*};
use leptos_meta::Title;
use leptos_router::{components::A, hooks::use_params_map};
use model::{
    DeliveryId, Problem, size,
    views::{DeliveryDetail, DeliveryView, SignedWith},
};
use std::collections::BTreeMap;

/// The page.
#[component]
pub fn DeliveryPage() -> impl IntoView {
    let site = use_site_id();
    let params = use_params_map();
    let id = Memo::new(move |_| params.read().get("delivery").and_then(|id| id.parse::<DeliveryId>().ok()));
    let answers = Resource::new_blocking(
        move || (site.get(), id.get()),
        |(site, id)| async move {
            let missing = || Failure::from(Problem::not_found("delivery"));
            let site = get_site(site?).await?;
            let delivery = get_delivery(id.ok_or_else(missing)?).await?;
            if delivery.delivery.site_id == site.id { Ok((site.name, delivery)) } else { Err(missing()) }
        },
    );
    view! {
        <Title text="Delivery" />
        <Suspense fallback=Loading>
            {move || Suspend::new(async move {
                match answers.await {
                    Ok((site, delivery)) => Either::Left(view! { <Delivery site delivery /> }),
                    Err(failure) => Either::Right(view! { <FailureView failure /> }),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Delivery(site: String, delivery: DeliveryDetail) -> impl IntoView {
    let DeliveryDetail { delivery, headers, body, body_bytes, body_cut, can_replay } = delivery;
    let there = address(delivery.site_id);
    let crumbs = vec![
        ("Sites".to_owned(), "/sites".to_owned()),
        (site, format!("/sites/{}", delivery.site_id)),
        ("Webhooks".to_owned(), there),
    ];
    let form = Form::<ReplayDelivery>::new();
    let (id, outcome, reason) = (delivery.id, delivery.outcome, delivery.reason.clone());
    view! {
        <PageHeader
            title="Delivery"
            crumbs
            mark=move || view! { <OutcomePill outcome /> }
            about=move || view! { <p class="max-w-3xl break-words">{reason.clone()}</p> }
        >
            {delivery
                .deployment_id
                .map(|id| {
                    view! {
                        <ButtonLink href=format!("/deployments/{id}") icon=Glyph::Rocket>
                            "Deployment"
                        </ButtonLink>
                    }
                })}
            {can_replay
                .then(|| {
                    view! {
                        <ActionForm action=form.action>
                            <input type="hidden" name="id" value=id.to_string() />
                            <Button kind="submit" look=Look::Primary icon=Glyph::Repeat busy=form.pending>
                                "Replay"
                            </Button>
                        </ActionForm>
                    }
                })}
        </PageHeader>
        {move || {
            form.error_beside(&[])
                .get()
                .map(|message| view! { <div class="mb-6"><Alert tone=Tone::Danger>{message}</Alert></div> })
        }}
        <div class="grid items-start gap-6 lg:grid-cols-[minmax(0,1fr)_22rem]">
            <div class="min-w-0 lg:order-last">
                <Facts delivery />
            </div>
            <div class="flex min-w-0 flex-col gap-6">
                <Headers headers />
                <Body body bytes=body_bytes is_cut=body_cut />
            </div>
        </div>
    }
}

#[component]
fn Facts(delivery: DeliveryView) -> impl IntoView {
    let times = times(&delivery);
    let site = delivery.site_id;
    let signed = delivery.signed_with.map(|with| match with {
        SignedWith::Secret => "the present secret",
        SignedWith::OldSecret => "the old secret; enter the new one in the forge",
    });
    view! {
        <Panel title="About" flush=true>
            <dl class="facts">
                <div>
                    <dt>"Forge"</dt>
                    <dd>{forge(&delivery.provider)}</dd>
                </div>
                <div>
                    <dt>"Event"</dt>
                    <dd class="break-words font-mono text-xs">{delivery.event}</dd>
                </div>
                <div>
                    <dt>"Received"</dt>
                    <dd>
                        <TimeAgo at=delivery.received_at />
                    </dd>
                </div>
                {times.map(|times| view! { <div><dt>"How often"</dt><dd>{times}</dd></div> })}
                {signed.map(|signed| view! { <div><dt>"Signed with"</dt><dd>{signed}</dd></div> })}
                {delivery
                    .replay_of
                    .map(|of| {
                        view! {
                            <div>
                                <dt>"Replay of"</dt>
                                <dd>
                                    <A href=format!("{}/{of}", address(site)) attr:class="link-accent">
                                        "an earlier delivery"
                                    </A>
                                </dd>
                            </div>
                        }
                    })}
            </dl>
        </Panel>
    }
}

#[component]
fn Headers(headers: BTreeMap<String, String>) -> impl IntoView {
    view! {
        <Panel title="Headers" flush=true>
            {if headers.is_empty() {
                view! { <p class="p-4 text-sm text-muted sm:px-5">"Nothing was kept of them."</p> }.into_any()
            } else {
                view! {
                    <dl class="divide-y divide-base-300 px-4 font-mono text-xs sm:px-5">
                        {headers
                            .into_iter()
                            .map(|(name, value)| {
                                view! {
                                    <div class="grid gap-x-4 py-2 sm:grid-cols-[14rem_minmax(0,1fr)]">
                                        <dt class="break-words text-muted">{name}</dt>
                                        <dd class="min-w-0 break-all">{value}</dd>
                                    </div>
                                }
                            })
                            .collect_view()}
                    </dl>
                }
                    .into_any()
            }}
        </Panel>
    }
}

#[component]
fn Body(body: String, bytes: i64, is_cut: bool) -> impl IntoView {
    let size = size::human(u64::try_from(bytes).unwrap_or_default());
    view! {
        <Panel title="Body" flush=true>
            {if body.is_empty() {
                view! { <p class="p-4 text-sm text-muted sm:px-5">"Nothing was kept of it."</p> }.into_any()
            } else {
                view! {
                    {is_cut
                        .then(|| {
                            view! {
                                <p class="border-b border-base-300 p-4 text-sm text-muted sm:px-5">
                                    {format!("It has {size}; this is its beginning. A replay takes all of it.")}
                                </p>
                            }
                        })}
                    <pre
                        tabindex="0"
                        class="max-h-[40rem] overflow-auto whitespace-pre-wrap break-all p-4 font-mono text-xs sm:px-5"
                    >
                        {indent(&body).unwrap_or(body)}
                    </pre>
                }
                    .into_any()
            }}
        </Panel>
    }
}
