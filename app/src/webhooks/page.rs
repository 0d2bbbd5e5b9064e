//! A site's webhook: where it is sent, and what came.

use super::{
    address::AddressPanel,
    list::Deliveries,
    server::{RevokeOldWebhookSecret, RotateWebhookSecret, list_deliveries},
};
use crate::{
    components::{FailureView, Loading, PageHeader},
    failure::Failure,
    form::Form,
    sites::{get_site, use_site_id},
};
use leptos::{either::Either, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

/// The page.
#[component]
pub fn WebhooksPage() -> impl IntoView {
    let id = use_site_id();
    let query = use_query_map();
    let cursor = Memo::new(move |_| query.read().get("cursor"));
    let (rotate, revoke) = (Form::<RotateWebhookSecret>::new(), Form::<RevokeOldWebhookSecret>::new());
    let changes = Memo::new(move |_| (rotate.action.version().get(), revoke.action.version().get()));
    let answers = Resource::new_blocking(
        move || (id.get(), cursor.get(), changes.get()),
        |(id, cursor, _)| async move {
            let id = id?;
            Ok::<_, Failure>((get_site(id).await?, list_deliveries(id, cursor).await?))
        },
    );
    view! {
        <Title text="Webhooks" />
        <Transition fallback=Loading>
            {move || Suspend::new(async move {
                match answers.await {
                    Ok((site, page)) => {
                        let is_newest = cursor.get_untracked().is_none();
                        let here = (site.name.clone(), format!("/sites/{}", site.id));
                        Either::Left(
                            view! {
                                <PageHeader title="Webhooks" crumbs=vec![("Sites".to_owned(), "/sites".to_owned()), here] />
                                <div class="flex max-w-4xl flex-col gap-6">
                                    <AddressPanel site=site.clone() rotate revoke />
                                    <Deliveries site=site.id page is_newest />
                                </div>
                            },
                        )
                    }
                    Err(failure) => Either::Right(view! { <FailureView failure /> }),
                }
            })}
        </Transition>
    }
}
