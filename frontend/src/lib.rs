//! The browser side: hydrates the pages of `app` and nothing else.
