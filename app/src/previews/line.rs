//! A pull request with its preview.

use super::server::{ApprovePreview, RemovePreview};
use crate::{
    components::{Alert, Button, DeploymentStatus, Glyph, Icon, Look, PreviewPill, TimeAgo, Tone},
    form::Form,
    format::short_commit,
    sites::bare,
};
use leptos::{either::Either, form::ActionForm, prelude::*};
use leptos_router::{components::A, hooks::use_query_map};
use model::{
    SiteId,
    views::{ApprovalView, DeploymentSummary, PreviewState, PreviewView},
};

/// The line.
#[component]
pub fn Line(
    /// Whose.
    site: SiteId,
    /// The pull request.
    preview: PreviewView,
    /// The visitor may approve and remove.
    may_write: bool,
    /// Approves.
    approve: Form<ApprovePreview>,
    /// Removes.
    remove: Form<RemovePreview>,
) -> impl IntoView {
    let number = preview.number;
    let title = if preview.title.is_empty() { preview.source_branch.clone() } else { preview.title.clone() };
    let heading = match preview.pull_request_url.clone() {
        Some(url) => Either::Left(view! {
            <a href=url rel="external noreferrer" class="link-quiet">
                <span class="font-mono text-muted">{format!("#{number}")}</span>
                " "
                {title}
            </a>
        }),
        None => Either::Right(view! {
            <span class="font-mono text-muted">{format!("#{number}")}</span>
            " "
            {title}
        }),
    };
    let is_removable = may_write
        && (preview.environment.is_some() && preview.status != Some(model::views::SiteStatus::Deleting)
            || matches!(preview.state, PreviewState::Waiting | PreviewState::Approval));
    let waiting_commit = preview.commit.clone().filter(|_| may_write && preview.state == PreviewState::Approval);
    let from_fork = preview.from_fork;
    view! {
        <li class="flex flex-col gap-2 px-4 py-3 sm:px-5">
            <div class="flex flex-wrap items-start justify-between gap-x-4 gap-y-2">
                <p class="min-w-0 flex-1 break-words text-sm font-medium">{heading}</p>
                <PreviewPill state=preview.state />
            </div>
            <p class="flex min-w-0 flex-wrap items-center gap-x-3 gap-y-1 text-xs text-muted">
                <span class="inline-flex min-w-0 items-center gap-1">
                    <Icon glyph=Glyph::Branch class="size-3.5" />
                    <span class="truncate">{format!("{} into {}", preview.source_branch, preview.target_branch)}</span>
                </span>
                {from_fork.then_some("from a fork")}
                {preview.author.map(|author| view! { <span class="truncate">{author}</span> })}
                {preview
                    .commit
                    .map(|commit| {
                        view! {
                            <span class="inline-flex items-center gap-1 font-mono" title=commit.clone()>
                                <Icon glyph=Glyph::Commit class="size-3.5" />
                                {short_commit(&commit)}
                            </span>
                        }
                    })}
                <TimeAgo at=preview.active_at />
            </p>
            {preview.url.map(|url| view! { <Address url /> })}
            {preview.latest_deployment.map(|deployment| view! { <Newest deployment /> })}
            {preview.approved.map(|approved| view! { <Approved approved /> })}
            {waiting_commit.map(|commit| view! { <Approve site number commit approve /> })}
            {is_removable.then(|| view! { <Remove site number remove /> })}
        </li>
    }
}

#[component]
fn Address(url: String) -> impl IntoView {
    let shown = bare(&url);
    view! {
        <p class="min-w-0 text-sm">
            <a href=url rel="external" class="link-quiet inline-flex max-w-full items-center gap-1.5">
                <span class="truncate">{shown}</span>
                <Icon glyph=Glyph::External class="size-3.5" />
            </a>
        </p>
    }
}

#[component]
fn Newest(deployment: DeploymentSummary) -> impl IntoView {
    view! {
        <p class="flex flex-wrap items-center gap-2 text-xs text-muted">
            <A href=format!("/deployments/{}", deployment.id) attr:class="link-quiet">
                {format!("Deployment #{}", deployment.number)}
            </A>
            <DeploymentStatus status=deployment.status is_current=deployment.is_current />
        </p>
    }
}

#[component]
fn Approved(approved: ApprovalView) -> impl IntoView {
    let by = approved.by.map_or_else(String::new, |by| format!(" by {by}"));
    view! {
        <p class="text-xs text-muted">
            {format!("{} was approved{by} ", short_commit(&approved.commit))} <TimeAgo at=approved.at />
        </p>
    }
}

#[component]
fn Approve(site: SiteId, number: i64, commit: String, approve: Form<ApprovePreview>) -> impl IntoView {
    let short = short_commit(&commit);
    view! {
        <Alert tone=Tone::Warning>
            <div class="flex flex-col gap-3">
                <p>
                    {format!(
                        "Whoever wrote this may be a stranger. Look at commit {short} first: approved, it is built and \
                        runs on this machine. It is given the previews' variables, but no secrets, and no later commit \
                        is approved with it.",
                    )}
                </p>
                <ActionForm action=approve.action>
                    <input type="hidden" name="site" value=site.to_string() />
                    <input type="hidden" name="number" value=number.to_string() />
                    <input type="hidden" name="commit" value=commit />
                    <Button kind="submit" icon=Glyph::Check busy=approve.pending>
                        {format!("Approve and deploy {short}")}
                    </Button>
                </ActionForm>
            </div>
        </Alert>
    }
}

/// Asked first, by the page's address, so that it works without JavaScript too.
#[component]
fn Remove(site: SiteId, number: i64, remove: Form<RemovePreview>) -> impl IntoView {
    let query = use_query_map();
    let here = super::address(site);
    let ask = format!("{here}?remove={number}");
    let is_going = Memo::new(move |_| query.read().get("remove").is_some_and(|asked| asked == number.to_string()));
    move || {
        let (here, ask) = (here.clone(), ask.clone());
        if is_going.get() {
            view! {
                <ActionForm action=remove.action attr:class="flex flex-wrap items-center gap-2">
                    <input type="hidden" name="site" value=site.to_string() />
                    <input type="hidden" name="number" value=number.to_string() />
                    <Button kind="submit" look=Look::Danger busy=remove.pending>
                        {format!("Remove the preview of #{number} with its data")}
                    </Button>
                    <a href=here data-noscroll class="btn btn-ghost">
                        "Keep it"
                    </a>
                </ActionForm>
            }
            .into_any()
        } else {
            view! {
                <p>
                    <a href=ask data-noscroll class="btn btn-ghost" aria-label=format!("Remove the preview of #{number}")>
                        <Icon glyph=Glyph::Trash />
                        "Remove"
                    </a>
                </p>
            }
            .into_any()
        }
    }
}
