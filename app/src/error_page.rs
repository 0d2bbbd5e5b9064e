//! A page for what went wrong around the pages themselves: a body that is too long, a request of another site, a panic.

use crate::{
    components::{Glyph, Icon, Logo},
    theme,
};
use leptos::{nonce::use_nonce, prelude::*};
use leptos_meta::HashedStylesheet;
use model::Problem;

/// The whole document. Nothing in it comes alive: at its address there may be no page, or one that does not work.
pub fn error_page(options: LeptosOptions, problem: Problem) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <title>"This did not work · WebMeteor"</title>
                <script nonce=use_nonce() inner_html=theme::SCRIPT></script>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <HashedStylesheet options />
            </head>
            <body>
                <header class="top-bar">
                    <div class="mx-auto flex h-14 max-w-6xl items-center px-4 sm:px-6">
                        <a href="/" class="logo-link">
                            <Logo />
                        </a>
                    </div>
                </header>
                <main class="mx-auto w-full max-w-6xl flex-1 px-4 py-8 sm:px-6">
                    <div class="empty my-12" role="alert">
                        <span class="empty-glyph">
                            <Icon glyph=Glyph::Alert class="size-6" />
                        </span>
                        <h1 class="text-xl font-semibold">"This did not work"</h1>
                        <p class="max-w-md text-sm text-muted">{problem.detail}</p>
                        <p class="font-mono text-xs text-muted">{format!("{} · {}", problem.status, problem.code)}</p>
                        <div class="mt-2 flex flex-wrap justify-center gap-2">
                            <a href="/sites" class="btn btn-primary">
                                "Your sites"
                            </a>
                        </div>
                    </div>
                </main>
            </body>
        </html>
    }
}
