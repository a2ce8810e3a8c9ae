//! Paths of hidden fields.

/// Path of an item's percentage in a sheet.
pub fn item_path(item: &str) -> String {
    format!("/items/{item}")
}

/// Path of a judge's single mark.
pub fn mark_path() -> String {
    "/mark".to_owned()
}

/// Path of an application's stage score.
pub fn score_path(application: &str) -> String {
    format!("/scores/{application}")
}

/// The item of a path made by [`item_path`].
pub fn item_of_path(path: &str) -> Option<&str> {
    path.strip_prefix("/items/")
}
