//! The icon set: one grid of 24, one stroke, one path each.

use leptos::prelude::*;

/// A picture of the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Glyph {
    Alert,
    ArrowDown,
    Ban,
    Box,
    Branch,
    Check,
    ChevronDown,
    ChevronRight,
    ChevronUp,
    Clock,
    Close,
    Code,
    Commit,
    Copy,
    Database,
    Download,
    External,
    Eye,
    Globe,
    Info,
    Key,
    Link,
    Minus,
    Monitor,
    Moon,
    People,
    Person,
    Plus,
    Repeat,
    Rocket,
    Search,
    Settings,
    SignOut,
    Spinner,
    Stack,
    Sun,
    Terminal,
    Trash,
    Undo,
    Webhook,
    Wrap,
}

impl Glyph {
    fn path(self) -> &'static str {
        match self {
            Self::Alert => "M12 4 2.8 19.5h18.4ZM12 10v4.2M12 17v.2",
            Self::ArrowDown => "M12 4v15M5.5 12.5 12 19l6.5-6.5",
            Self::Ban => "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17ZM6 6l12 12",
            Self::Box => "M12 3 4 7v10l8 4 8-4V7ZM4 7l8 4 8-4M12 11v10",
            Self::Branch => {
                "M7 8.5v7M7 3.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5ZM7 15.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5ZM17 5.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5ZM17 10.5c0 3.5-4 3-7.6 6"
            }
            Self::Check => "m5 12.5 4.7 4.7L19.2 7.5",
            Self::ChevronDown => "m6 9.5 6 6 6-6",
            Self::ChevronRight => "m9.5 6 6 6-6 6",
            Self::ChevronUp => "m6 14.5 6-6 6 6",
            Self::Clock => "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17ZM12 7.5V12l3 2",
            Self::Close => "m6 6 12 12M18 6 6 18",
            Self::Code => "m8.5 7-5 5 5 5M15.5 7l5 5-5 5",
            Self::Commit => "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM2.5 12H8M16 12h5.5",
            Self::Copy => "M9 9h11v11H9ZM5.5 15H4V4h11v1.5",
            Self::Database => {
                "M12 3.5c4.4 0 7.5 1.3 7.5 3s-3.1 3-7.5 3-7.5-1.3-7.5-3 3.1-3 7.5-3ZM4.5 6.5v11c0 1.7 3.1 3 7.5 3s7.5-1.3 7.5-3v-11M4.5 12c0 1.7 3.1 3 7.5 3s7.5-1.3 7.5-3"
            }
            Self::Download => "M12 4v11M7 10.5l5 5 5-5M4 20h16",
            Self::External => "M14 4h6v6M20 4l-9 9M18 14v6H4V6h6",
            Self::Eye => {
                "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12ZM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6Z"
            }
            Self::Globe => {
                "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17ZM3.5 12h17M12 3.5c2.5 2.5 3.5 5.3 3.5 8.5s-1 6-3.5 8.5c-2.5-2.5-3.5-5.3-3.5-8.5s1-6 3.5-8.5Z"
            }
            Self::Info => "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17ZM12 11v5.5M12 7.5v.2",
            Self::Key => "M8 11a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM11.2 12.3 20 3.5M16.5 7l3 3",
            Self::Link => {
                "M10 14a4 4 0 0 0 5.7 0l3.6-3.6a4 4 0 0 0-5.7-5.7l-1.1 1.1M14 10a4 4 0 0 0-5.7 0l-3.6 3.6a4 4 0 0 0 5.7 5.7l1.1-1.1"
            }
            Self::Minus => "M5 12h14",
            Self::Monitor => "M3 4.5h18v12H3ZM8.5 20.5h7M12 16.5v4",
            Self::Moon => "M20 14.2A8.5 8.5 0 0 1 9.8 4 8.5 8.5 0 1 0 20 14.2Z",
            Self::People => {
                "M9 4.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7ZM2.5 19.5c.5-3.3 3-5.3 6.5-5.3s6 2 6.5 5.3M15.5 4.8a3.5 3.5 0 0 1 0 6.4M17.5 14.6c2.2.7 3.6 2.4 4 4.9"
            }
            Self::Person => "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM4.5 20.5c.6-3.6 3.6-5.5 7.5-5.5s6.9 1.9 7.5 5.5",
            Self::Plus => "M12 5v14M5 12h14",
            Self::Repeat => "M20 11a8 8 0 0 0-14.3-4L4 9M4 4v5h5M4 13a8 8 0 0 0 14.3 4l1.7-2M20 20v-5h-5",
            Self::Rocket => {
                "M13.5 4.5C17 2.5 21 3 21 3s.5 4-1.5 7.5c-1.5 2.5-5.5 5.5-5.5 5.5L8 10s3-4 5.5-5.5ZM8 10l-4 1.5L6.5 13M14 16l-1.5 4-1.5-2.5M5 16l-1.5 4.5L8 19M15.5 8.3v.2"
            }
            Self::Search => "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM15.3 15.3l5.2 5.2",
            Self::Settings => {
                "M4 7h9M17 7h3M4 17h3M11 17h9M15 5a2 2 0 1 0 0 4 2 2 0 0 0 0-4ZM9 15a2 2 0 1 0 0 4 2 2 0 0 0 0-4Z"
            }
            Self::SignOut => "M10 4H4v16h6M15 7.5l4.5 4.5-4.5 4.5M19.5 12H9",
            Self::Spinner => "M12 3.5a8.5 8.5 0 1 0 8.5 8.5",
            Self::Stack => "M12 3.5 3 8l9 4.5L21 8ZM3.5 12 12 16.3 20.5 12M3.5 16 12 20.3 20.5 16",
            Self::Sun => {
                "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4"
            }
            Self::Terminal => "m4.5 7 5 5-5 5M12 18h8",
            Self::Trash => "M4 6.5h16M9 6V3.5h6V6M6 6.5l1 14h10l1-14M10 10.5v6M14 10.5v6",
            Self::Undo => "M8.5 4.5 4 9l4.5 4.5M4 9h10a6 6 0 0 1 0 12h-3",
            Self::Webhook => {
                "M12 3.5a4 4 0 0 1 3.5 6l3 5.5M8.7 9.8A4 4 0 0 1 12 3.5M18.5 13a4 4 0 1 1-3.5 6M12 7.5l-4 8M15 17H8M9.4 18.6A4 4 0 1 1 6 12.5"
            }
            Self::Wrap => "M4 6h16M4 12h13a3 3 0 0 1 0 6h-5M14.5 15.5 12 18l2.5 2.5M4 18h4",
        }
    }
}

/// A picture, hidden from readers of the screen: words stand beside it or in a label.
#[component]
pub fn Icon(
    /// Which.
    glyph: Glyph,
    /// Size and colour, in classes.
    #[prop(default = "size-4")]
    class: &'static str,
) -> impl IntoView {
    let spin = if glyph == Glyph::Spinner { " spin" } else { "" };
    view! {
        <svg
            class=format!("icon shrink-0 {class}{spin}")
            viewBox="0 0 24 24"
            fill="none"
            stroke="currentColor"
            stroke-width="1.75"
            stroke-linecap="round"
            stroke-linejoin="round"
            aria-hidden="true"
            focusable="false"
        >
            <path d=glyph.path()></path>
        </svg>
    }
}
