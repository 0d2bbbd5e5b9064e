//! The design system: one way to do each thing. No server functions here.

pub mod alert;
pub mod button;
pub mod copy;
pub mod dialog;
pub mod empty;
pub mod failure_view;
pub mod field;
pub mod icon;
pub mod logo;
pub mod page_header;
pub mod panel;
pub mod skeleton;
pub mod status;
pub mod text_area;
pub mod time_ago;
pub mod toast;

pub use alert::{Alert, Tone};
pub use button::{Button, ButtonLink, Look};
pub use copy::{CopyButton, CopyField};
pub use dialog::{Dialog, DialogButton};
pub use empty::EmptyState;
pub use failure_view::FailureView;
pub use field::Field;
pub use icon::{Glyph, Icon};
pub use logo::{Logo, Mark};
pub use page_header::{Crumb, PageHeader};
pub use panel::Panel;
pub use skeleton::Loading;
pub use status::{
    DeploymentStatus, DomainPill, InvitationPill, OutcomePill, Pill, PreviewPill, ServiceStatus, SiteStatusPill,
};
pub use text_area::{Check, TextArea};
pub use time_ago::TimeAgo;
pub use toast::{Toasts, use_toasts};
