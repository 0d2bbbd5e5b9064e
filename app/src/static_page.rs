//! A document that the server writes alone: nothing in it comes alive, for at its address there may be no page of the
//! dashboard, or one that does not work.

use crate::{components::Logo, theme};
use leptos::{nonce::use_nonce, prelude::*};
use leptos_meta::HashedStylesheet;

/// The whole document around its content.
pub fn static_page(options: LeptosOptions, title: &str, content: impl IntoView) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <title>{format!("{title} · WebMeteor")}</title>
                <script nonce=use_nonce() inner_html=theme::SCRIPT></script>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <HashedStylesheet options />
            </head>
            <body>
                <header class="top-bar">
                    <div class="mx-auto flex h-14 max-w-6xl items-center px-4 sm:px-6">
                        <a href="/" class="logo-link" aria-label="WebMeteor, start page">
                            <Logo />
                        </a>
                    </div>
                </header>
                <main class="mx-auto w-full max-w-6xl flex-1 px-4 py-8 sm:px-6">{content}</main>
            </body>
        </html>
    }
}
