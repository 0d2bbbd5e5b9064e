//! The whole dashboard: the frame around every page, and which page stands at which address.

use crate::{
    account::{AccountPage, SessionsPage},
    admin::{AdminTeamPage, AllSitesPage, AllTeamsPage, MachinePage, OverviewPage, SettingsPage},
    audit::{AccountAuditPage, AdminAuditPage, TeamAuditPage},
    auth::{
        ConfirmPage, DonePage, ForgotPage, ResetPage, SecondStepPage, SignInPage, SignOut, SignUpPage, Visitor,
        VisitorResource, use_visitor,
    },
    boot::Boot,
    clock::Clock,
    components::{EmptyState, Glyph, Icon, Logo, Toasts, Tone, toast::Messages, use_toasts},
    deployments::DeploymentPage,
    domains::DomainsPage,
    environments::{EnvironmentSettingsPage, NewEnvironmentPage},
    form::{Form, load_page},
    format,
    github::{GitHubAdminPage, GitHubPickPage},
    invitations::{InvitationPage, PlatformInvitationsPage},
    landing::LandingPage,
    live,
    previews::PreviewsPage,
    queue::QueuePage,
    security::SecurityPage,
    sites::{NewSitePage, SitePage, SiteSettingsPage, SitesPage},
    teams::{TeamInvitationsPage, TeamMembersPage, TeamQuotasPage, TeamSettingsPage, TeamsPage},
    theme::{ThemeButton, Themes},
    tokens::TokensPage,
    variables::{PreviewVariablesPage, VariablesPage},
    webhooks::{DeliveryPage, WebhooksPage},
};
use leptos::{form::ActionForm, prelude::*};
use leptos_meta::{Title, provide_meta_context};
use leptos_router::{
    SsrMode,
    components::{A, FlatRoutes, Route, Router, RoutingProgress},
    hooks::use_location,
    path,
};
use model::views::SignupState;
use std::time::Duration;

/// A page's title as the browser shows it.
#[expect(clippy::needless_pass_by_value, reason = "what the component calls it with")]
fn title_of(title: String) -> String {
    let title = if title.is_empty() { "WebMeteor".to_owned() } else { format!("{title} · WebMeteor") };
    format::inert(title)
}

/// The root component.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    let boot = Boot::provide();
    Clock::provide(boot.now);
    Themes::provide();
    provide_context(Messages::new());
    VisitorResource::provide();
    let (is_routing, set_is_routing) = signal(false);
    view! {
        <Title formatter=title_of />
        <Router set_is_routing>
            <div role="status">
                <RoutingProgress is_routing max_time=Duration::from_millis(300) {..} class="routing-progress" aria-label="Loading" />
            </div>
            <a class="skip-link sr-only focus:not-sr-only" href="#main" rel="external">
                "Skip to the content"
            </a>
            <TopBar />
            <Main>
                <FlatRoutes fallback=NotFoundPage>
                    <Route path=path!("/") view=LandingPage ssr=SsrMode::Async />
                    <Route path=path!("/sign-in") view=SignInPage ssr=SsrMode::Async />
                    <Route path=path!("/sign-in/code") view=SecondStepPage ssr=SsrMode::Async />
                    <Route path=path!("/sign-up") view=SignUpPage ssr=SsrMode::Async />
                    <Route path=path!("/forgot") view=ForgotPage ssr=SsrMode::Async />
                    <Route path=path!("/reset") view=ResetPage ssr=SsrMode::Async />
                    <Route path=path!("/confirm") view=ConfirmPage ssr=SsrMode::Async />
                    <Route path=path!("/done/:what") view=DonePage ssr=SsrMode::Async />
                    <Route path=path!("/sites") view=SitesPage ssr=SsrMode::Async />
                    <Route path=path!("/sites/new") view=NewSitePage ssr=SsrMode::Async />
                    <Route path=path!("/sites/new/github") view=GitHubPickPage ssr=SsrMode::Async />
                    <Route path=path!("/sites/:site") view=SitePage ssr=SsrMode::Async />
                    <Route path=path!("/sites/:site/settings") view=SiteSettingsPage ssr=SsrMode::Async />
                    <Route path=path!("/sites/:site/webhooks") view=WebhooksPage ssr=SsrMode::Async />
                    <Route path=path!("/sites/:site/webhooks/:delivery") view=DeliveryPage ssr=SsrMode::Async />
                    <Route path=path!("/sites/:site/previews") view=PreviewsPage ssr=SsrMode::Async />
                    <Route
                        path=path!("/sites/:site/previews/variables")
                        view=PreviewVariablesPage
                        ssr=SsrMode::Async
                    />
                    <Route path=path!("/sites/:site/new-environment") view=NewEnvironmentPage ssr=SsrMode::Async />
                    <Route
                        path=path!("/sites/:site/environments/:environment")
                        view=EnvironmentSettingsPage
                        ssr=SsrMode::Async
                    />
                    <Route
                        path=path!("/sites/:site/environments/:environment/variables")
                        view=VariablesPage
                        ssr=SsrMode::Async
                    />
                    <Route
                        path=path!("/sites/:site/environments/:environment/domains")
                        view=DomainsPage
                        ssr=SsrMode::Async
                    />
                    <Route path=path!("/deployments/:deployment") view=DeploymentPage ssr=SsrMode::Async />
                    <Route path=path!("/teams") view=TeamsPage ssr=SsrMode::Async />
                    <Route path=path!("/teams/:team") view=TeamMembersPage ssr=SsrMode::Async />
                    <Route path=path!("/teams/:team/invitations") view=TeamInvitationsPage ssr=SsrMode::Async />
                    <Route path=path!("/teams/:team/quotas") view=TeamQuotasPage ssr=SsrMode::Async />
                    <Route path=path!("/teams/:team/settings") view=TeamSettingsPage ssr=SsrMode::Async />
                    <Route path=path!("/invitations/:token") view=InvitationPage ssr=SsrMode::Async />
                    <Route path=path!("/queue") view=QueuePage ssr=SsrMode::Async />
                    <Route path=path!("/admin") view=OverviewPage ssr=SsrMode::Async />
                    <Route path=path!("/admin/teams") view=AllTeamsPage ssr=SsrMode::Async />
                    <Route path=path!("/admin/teams/:team") view=AdminTeamPage ssr=SsrMode::Async />
                    <Route path=path!("/admin/sites") view=AllSitesPage ssr=SsrMode::Async />
                    <Route path=path!("/admin/machine") view=MachinePage ssr=SsrMode::Async />
                    <Route path=path!("/admin/settings") view=SettingsPage ssr=SsrMode::Async />
                    <Route path=path!("/admin/invitations") view=PlatformInvitationsPage ssr=SsrMode::Async />
                    <Route path=path!("/admin/github") view=GitHubAdminPage ssr=SsrMode::Async />
                    <Route path=path!("/account") view=AccountPage ssr=SsrMode::Async />
                    <Route path=path!("/account/security") view=SecurityPage ssr=SsrMode::Async />
                    <Route path=path!("/account/sessions") view=SessionsPage ssr=SsrMode::Async />
                    <Route path=path!("/teams/:team/audit") view=TeamAuditPage ssr=SsrMode::Async />
                    <Route path=path!("/admin/audit") view=AdminAuditPage ssr=SsrMode::Async />
                    <Route path=path!("/account/audit") view=AccountAuditPage ssr=SsrMode::Async />
                    <Route path=path!("/account/tokens") view=TokensPage ssr=SsrMode::Async />
                </FlatRoutes>
            </Main>
        </Router>
        <Toasts />
    }
}

/// The part of the page that changes. Takes the focus when it does, so that readers of the screen begin at its top.
#[component]
fn Main<C: IntoView + 'static>(children: TypedChildren<C>) -> impl IntoView {
    let pathname = use_location().pathname;
    let node = NodeRef::<leptos::html::Main>::new();
    let is_wide = Memo::new(move |_| pathname.get() == "/");
    Effect::new(move |before: Option<String>| {
        let now = pathname.get();
        if before.is_some_and(|before| before != now)
            && let Some(main) = node.get_untracked()
        {
            let _ = main.focus();
        }
        now
    });
    view! {
        <main
            id="main"
            node_ref=node
            tabindex="-1"
            class=move || if is_wide.get() { "flex-1" } else { "mx-auto w-full max-w-6xl flex-1 px-4 py-8 sm:px-6" }
        >
            {children.into_inner()()}
        </main>
    }
}

#[component]
fn TopBar() -> impl IntoView {
    let visitor = use_visitor();
    view! {
        <header class="top-bar">
            <div class="mx-auto flex h-14 max-w-6xl items-center gap-2 px-4 sm:px-6">
                <Suspense fallback=|| view! { <Logo /> }>
                    {move || Suspend::new(async move {
                        let visitor = visitor.get().await.ok();
                        view! { <TopBarContent visitor /> }
                    })}
                </Suspense>
            </div>
        </header>
    }
}

#[component]
fn TopBarContent(visitor: Option<Visitor>) -> impl IntoView {
    let may_join = visitor.as_ref().is_some_and(|v| v.signup != SignupState::Closed);
    match visitor.and_then(|v| v.user) {
        Some(user) => view! {
            <A href="/sites" attr:class="logo-link" attr:aria-label="WebMeteor, your sites">
                <Logo />
            </A>
            <nav class="ml-4 hidden items-center sm:flex" aria-label="Main">
                <A href="/sites" attr:class="nav-link">
                    "Sites"
                </A>
                <A href="/queue" attr:class="nav-link">
                    "Queue"
                </A>
            </nav>
            <div class="ml-auto flex items-center gap-1">
                <ThemeButton />
                <AccountMenu name=user.name email=user.email is_admin=user.is_admin />
            </div>
            <News />
        }
        .into_any(),
        None => view! {
            <A href="/" attr:class="logo-link" attr:aria-label="WebMeteor, start page">
                <Logo />
            </A>
            <div class="ml-auto flex items-center gap-1">
                <ThemeButton />
                <A href="/sign-in" attr:class="btn btn-ghost">
                    "Sign in"
                </A>
                {may_join
                    .then(|| {
                        view! {
                            <A href="/sign-up" attr:class="btn btn-plain hidden sm:inline-flex">
                                "Create an account"
                            </A>
                        }
                    })}
            </div>
        }
        .into_any(),
    }
}

/// What a person should know, wherever in the dashboard they are.
#[component]
fn News() -> impl IntoView {
    let toasts = use_toasts();
    live::on_notification(move |news| {
        let tone = if matches!(news.kind.as_str(), "deployment_failed" | "deployment_rolled_back") {
            Tone::Danger
        } else {
            Tone::Success
        };
        toasts.show(tone, news.title, news.body);
    });
}

#[component]
fn AccountMenu(name: String, email: String, is_admin: bool) -> impl IntoView {
    let form = Form::<SignOut>::new();
    form.on_done(|next| load_page(&next));
    let initial: String = name.chars().next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    view! {
        <button type="button" class="avatar-button" popovertarget="account-menu" aria-label="Account menu">
            <span aria-hidden="true">{initial}</span>
        </button>
        <div id="account-menu" popover="auto" class="menu-panel">
            <div class="border-b border-base-300 px-3 py-2">
                <p class="truncate text-sm font-medium">{name}</p>
                <p class="truncate text-xs text-muted">{email}</p>
            </div>
            <div class="flex flex-col p-1">
                <A href="/sites" attr:class="menu-item">
                    <Icon glyph=Glyph::Stack />
                    "Sites"
                </A>
                <A href="/queue" attr:class="menu-item">
                    <Icon glyph=Glyph::Clock />
                    "Queue"
                </A>
                <A href="/teams" attr:class="menu-item">
                    <Icon glyph=Glyph::People />
                    "Teams"
                </A>
                <A href="/account" attr:class="menu-item">
                    <Icon glyph=Glyph::Person />
                    "Account"
                </A>
                {is_admin
                    .then(|| {
                        view! {
                            <A href="/admin" attr:class="menu-item">
                                <Icon glyph=Glyph::Settings />
                                "Administration"
                            </A>
                        }
                    })}
                <ActionForm action=form.action>
                    <button type="submit" class="menu-item w-full">
                        <Icon glyph=Glyph::SignOut />
                        "Sign out"
                    </button>
                </ActionForm>
            </div>
        </div>
    }
}

#[component]
fn NotFoundPage() -> impl IntoView {
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(axum::http::StatusCode::NOT_FOUND);
    }
    view! {
        <Title text="Not found" />
        <h1 class="sr-only">"Not found"</h1>
        <div class="my-12">
            <EmptyState
                glyph=Glyph::Search
                title="There is no page at this address"
                text="It may have been moved or deleted, or the link is incomplete."
            >
                <A href="/" attr:class="btn btn-primary">
                    "To the start"
                </A>
            </EmptyState>
        </div>
    }
}
