//! Light, dark, or as the system has it: kept in the browser, applied before the first paint by the script below.

use crate::components::{Glyph, Icon};
use leptos::prelude::*;

/// Runs in the page's head. Marks that JavaScript runs, and applies the kept theme before anything is painted.
#[cfg(feature = "ssr")]
pub const SCRIPT: &str = r#"(()=>{const d=document.documentElement;d.dataset.js="";try{const t=localStorage.getItem("theme");if(t==="light"||t==="dark")d.dataset.theme=t}catch{}})()"#;

/// What a person chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// As the system has it.
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    #[cfg(feature = "hydrate")]
    fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// The page's theme.
#[derive(Debug, Clone, Copy)]
pub struct Themes(RwSignal<Theme>);

impl Themes {
    /// To be called once, in the root component. The server does not know the choice: it is read after hydration.
    pub fn provide() {
        let themes = Self(RwSignal::new(Theme::System));
        provide_context(themes);
        #[cfg(feature = "hydrate")]
        Effect::new(move |_| themes.0.set(browser::kept()));
    }
    fn choose(self, theme: Theme) {
        self.0.set(theme);
        #[cfg(feature = "hydrate")]
        browser::apply(theme);
    }
}

#[cfg(feature = "hydrate")]
mod browser {
    use super::Theme;
    use leptos::prelude::*;

    pub fn kept() -> Theme {
        let word = window().local_storage().ok().flatten().and_then(|storage| storage.get_item("theme").ok().flatten());
        match word.as_deref() {
            Some("light") => Theme::Light,
            Some("dark") => Theme::Dark,
            _ => Theme::System,
        }
    }

    pub fn apply(theme: Theme) {
        if let Ok(Some(storage)) = window().local_storage() {
            let _ = match theme {
                Theme::System => storage.remove_item("theme"),
                _ => storage.set_item("theme", theme.word()),
            };
        }
        if let Some(root) = document().document_element() {
            let _ = match theme {
                Theme::System => root.remove_attribute("data-theme"),
                _ => root.set_attribute("data-theme", theme.word()),
            };
        }
    }

    pub fn system_is_dark() -> bool {
        window().match_media("(prefers-color-scheme: dark)").ok().flatten().is_some_and(|query| query.matches())
    }
}

/// Changes between light and dark.
#[component]
pub fn ThemeButton() -> impl IntoView {
    let themes = expect_context::<Themes>();
    let flip = move |_| {
        #[cfg(feature = "hydrate")]
        {
            let is_dark = match themes.0.get_untracked() {
                Theme::System => browser::system_is_dark(),
                Theme::Light => false,
                Theme::Dark => true,
            };
            themes.choose(if is_dark { Theme::Light } else { Theme::Dark });
        }
        #[cfg(not(feature = "hydrate"))]
        themes.choose(Theme::System);
    };
    view! {
        <button
            type="button"
            class="btn btn-ghost btn-square needs-js"
            title="Change between light and dark"
            aria-label="Change between light and dark"
            on:click=flip
        >
            <span class="theme-light">
                <Icon glyph=Glyph::Sun />
            </span>
            <span class="theme-dark">
                <Icon glyph=Glyph::Moon />
            </span>
        </button>
    }
}

/// The choice of a theme, in the account.
#[component]
pub fn ThemeChoice() -> impl IntoView {
    let themes = expect_context::<Themes>();
    let option = move |theme: Theme, glyph: Glyph, label: &'static str| {
        view! {
            <label class="segment">
                <input
                    type="radio"
                    name="theme"
                    class="sr-only"
                    prop:checked=move || themes.0.get() == theme
                    on:change=move |_| themes.choose(theme)
                />
                <Icon glyph />
                {label}
            </label>
        }
    };
    view! {
        <fieldset class="segments needs-js">
            <legend class="sr-only">"Theme"</legend>
            {option(Theme::System, Glyph::Monitor, "System")}
            {option(Theme::Light, Glyph::Sun, "Light")}
            {option(Theme::Dark, Glyph::Moon, "Dark")}
        </fieldset>
        <p class="text-sm text-muted js-hidden">"Follows your system."</p>
    }
}
