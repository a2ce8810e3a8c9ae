//! Forms: label above, hint under the label, the message at the field.

use maud::{Markup, html};

use super::grid::{Grid, grid};
use super::{Link, Text};

/// A value that can be chosen.
#[derive(Clone, Debug, Default)]
pub struct Choose<'a> {
    /// What is sent.
    pub value: Text<'a>,
    /// What is read.
    pub label: Text<'a>,
    /// What it means, for choices that need a sentence.
    pub hint: Option<Text<'a>>,
}

impl<'a> Choose<'a> {
    /// A choice without a hint.
    pub fn new(value: impl Into<Text<'a>>, label: impl Into<Text<'a>>) -> Self {
        Self { value: value.into(), label: label.into(), hint: None }
    }
}

/// How a field is filled in.
#[derive(Clone, Debug)]
pub enum FieldKind<'a> {
    /// One line. `input_type` is the HTML type (`text`, `date`, `tel`, `password`, `number` …).
    Line {
        /// The HTML type.
        input_type: &'static str,
        /// What is in it.
        value: Text<'a>,
        /// What the browser may fill in (`organization`, `one-time-code` …).
        autocomplete: Option<&'static str>,
    },
    /// Several lines.
    Area {
        /// What is in it.
        value: Text<'a>,
        /// How many lines are seen.
        rows: u16,
    },
    /// One of a list.
    Select {
        /// The list.
        options: &'a [Choose<'a>],
        /// The value that is chosen.
        chosen: Text<'a>,
    },
    /// One of a few, all in view.
    Radio {
        /// The few.
        options: &'a [Choose<'a>],
        /// The value that is chosen.
        chosen: Text<'a>,
    },
    /// Any of a few, all in view.
    Checks {
        /// The few.
        options: &'a [Choose<'a>],
        /// The values that are chosen.
        chosen: &'a [Text<'a>],
    },
    /// Yes or nothing; the label stands beside the box.
    Checkbox {
        /// What is sent when it is ticked.
        value: Text<'a>,
        /// Whether it is ticked.
        checked: bool,
    },
    /// Rows of cells.
    Grid(Grid<'a>),
    /// A file, or several.
    File {
        /// The accepted types (`application/pdf`).
        accept: Text<'a>,
        /// Whether several may be chosen.
        several: bool,
    },
}

/// A question.
#[derive(Clone, Debug)]
pub struct Field<'a> {
    /// The id, to which the error summary leads; unique on the page.
    pub id: Text<'a>,
    /// The name under which it is sent.
    pub name: Text<'a>,
    /// The question.
    pub label: Text<'a>,
    /// Help under the question, with an example in the right format.
    pub hint: Option<Text<'a>>,
    /// What is wrong with the answer.
    pub error: Option<Text<'a>>,
    /// A word beside the question when it may stay empty ("optional").
    pub optional: Option<Text<'a>>,
    /// How it is answered.
    pub kind: FieldKind<'a>,
}

impl<'a> Field<'a> {
    /// A question answered in one line of text.
    pub fn line(name: impl Into<Text<'a>>, label: impl Into<Text<'a>>, value: impl Into<Text<'a>>) -> Self {
        Self::of(name, label, FieldKind::Line { input_type: "text", value: value.into(), autocomplete: None })
    }

    /// A question answered in another way; its id is its name.
    pub fn of(name: impl Into<Text<'a>>, label: impl Into<Text<'a>>, kind: FieldKind<'a>) -> Self {
        let name = name.into();
        Self { id: name.clone(), name, label: label.into(), hint: None, error: None, optional: None, kind }
    }

    /// The same question with help under it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Text<'a>>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same question with what is wrong with its answer.
    #[must_use]
    pub fn error(mut self, error: Option<Text<'a>>) -> Self {
        self.error = error;
        self
    }

    /// The same question, which may stay unanswered.
    #[must_use]
    pub fn optional(mut self, word: impl Into<Text<'a>>) -> Self {
        self.optional = Some(word.into());
        self
    }

    fn described_by(&self) -> Option<String> {
        let mut ids = Vec::new();
        if self.hint.is_some() {
            ids.push(format!("{}-hint", self.id));
        }
        if self.error.is_some() {
            ids.push(format!("{}-error", self.id));
        }
        (!ids.is_empty()).then(|| ids.join(" "))
    }
}

/// A question with its label, hint, message and control.
#[must_use]
pub fn field(field: &Field<'_>) -> Markup {
    let class = if field.error.is_some() { "field wrong" } else { "field" };
    let described = field.described_by();
    let described = described.as_deref();
    match &field.kind {
        FieldKind::Radio { options, chosen } => {
            let is_chosen = |value: &str| value == chosen.as_ref();
            group(field, class, described, options, "radio", &is_chosen)
        }
        FieldKind::Checks { options, chosen } => {
            let is_chosen = |value: &str| chosen.iter().any(|one| one.as_ref() == value);
            group(field, class, described, options, "checkbox", &is_chosen)
        }
        FieldKind::Checkbox { value, checked } => html! {
            div class=(class) {
                (hint(field))
                (message(field))
                div.choice {
                    input type="checkbox" id=(field.id) name=(field.name) value=(value) checked[*checked]
                        aria-describedby=[described] aria-invalid=[invalid(field)];
                    label for=(field.id) { (field.label) (optional(field)) }
                }
            }
        },
        FieldKind::Grid(cells) => html! {
            fieldset class=(class) {
                legend { (field.label) (optional(field)) }
                (hint(field))
                (message(field))
                (grid(field, described, cells))
            }
        },
        _ => html! {
            div class=(class) {
                label for=(field.id) { (field.label) (optional(field)) }
                (hint(field))
                (message(field))
                (control(field, described))
            }
        },
    }
}

fn control(field: &Field<'_>, described: Option<&str>) -> Markup {
    html! {
        @match &field.kind {
            FieldKind::Line { input_type, value, autocomplete } => {
                input type=(input_type) id=(field.id) name=(field.name) value=(value)
                    autocomplete=[*autocomplete] aria-describedby=[described] aria-invalid=[invalid(field)];
            },
            FieldKind::Area { value, rows } => {
                // The first line break after the tag is not part of the value, so one is spent here.
                textarea id=(field.id) name=(field.name) rows=(rows)
                    aria-describedby=[described] aria-invalid=[invalid(field)] { "\n" (value) }
            },
            FieldKind::Select { options, chosen } => {
                select id=(field.id) name=(field.name)
                    aria-describedby=[described] aria-invalid=[invalid(field)] {
                    @for option in *options {
                        option value=(option.value) selected[option.value == *chosen] { (option.label) }
                    }
                }
            },
            FieldKind::File { accept, several } => {
                input type="file" id=(field.id) name=(field.name) accept=(accept) multiple[*several]
                    aria-describedby=[described] aria-invalid=[invalid(field)];
            },
            FieldKind::Radio { .. } | FieldKind::Checks { .. } | FieldKind::Checkbox { .. } | FieldKind::Grid(_) => {},
        }
    }
}

/// Several boxes under one question. The first has the field's id, so the error summary leads to it; without one, the group.
fn group(
    field: &Field<'_>,
    class: &str,
    described: Option<&str>,
    options: &[Choose<'_>],
    input_type: &str,
    is_chosen: &dyn Fn(&str) -> bool,
) -> Markup {
    let own_id = options.is_empty().then_some(&field.id);
    html! {
        fieldset class=(class) id=[own_id] tabindex=[own_id.map(|_| "-1")] aria-describedby=[described] {
            legend { (field.label) (optional(field)) }
            (hint(field))
            (message(field))
            @for (index, option) in options.iter().enumerate() {
                @let id = if index == 0 { field.id.to_string() } else { format!("{}-{index}", field.id) };
                @let hint_id = format!("{id}-means");
                div.choice {
                    input type=(input_type) id=(id) name=(field.name) value=(option.value)
                        checked[is_chosen(&option.value)]
                        aria-describedby=[option.hint.as_ref().map(|_| hint_id.as_str())];
                    label for=(id) { (option.label) }
                    @if let Some(hint) = &option.hint { p.hint id=(hint_id) { (hint) } }
                }
            }
        }
    }
}

fn invalid(field: &Field<'_>) -> Option<&'static str> {
    field.error.as_ref().map(|_| "true")
}

fn optional(field: &Field<'_>) -> Markup {
    html! { @if let Some(word) = &field.optional { " " span.optional { (word) } } }
}

fn hint(field: &Field<'_>) -> Markup {
    html! { @if let Some(hint) = &field.hint { p.hint id={ (field.id) "-hint" } { (hint) } } }
}

fn message(field: &Field<'_>) -> Markup {
    html! { @if let Some(error) = &field.error { p.error id={ (field.id) "-error" } { (error) } } }
}

/// All that is wrong, first, with a link to each place. Pairs are the field's id and the message.
#[must_use]
pub fn error_summary(heading: &str, errors: &[(Text<'_>, Text<'_>)]) -> Markup {
    html! {
        @if !errors.is_empty() {
            div.error-summary #errors role="alert" tabindex="-1" autofocus {
                h2 { (heading) }
                ul {
                    @for (id, message) in errors {
                        // An address leads to a question on another page, an id to one on this.
                        li { a href=(if id.contains('/') { id.to_string() } else { format!("#{id}") }) { (message) } }
                    }
                }
            }
        }
    }
}

/// A form and where it goes.
#[derive(Clone, Debug, Default)]
pub struct Form<'a> {
    /// Where it is sent.
    pub action: Text<'a>,
    /// Hidden fields, such as the token against forged requests.
    pub hidden: Vec<(Text<'a>, Text<'a>)>,
    /// Whether it carries files.
    pub files: bool,
    /// Whether it only asks and changes nothing (a search or a filter).
    pub get: bool,
    /// Its name for screen readers, where a page has several.
    pub label: Option<Text<'a>>,
}

/// A form around its questions and buttons. The browser's own checks are off: every answer comes
/// back with our sentences, in the reader's language.
#[must_use]
pub fn form(form: &Form<'_>, body: &Markup) -> Markup {
    html! {
        form method=(if form.get { "get" } else { "post" }) action=(form.action)
            enctype=[form.files.then_some("multipart/form-data")]
            aria-label=[form.label.as_deref()] novalidate {
            @for (name, value) in &form.hidden {
                input type="hidden" name=(name) value=(value);
            }
            (body)
        }
    }
}

/// The button of a form. `primary` is for the one thing to do next on the page.
#[must_use]
pub fn submit(label: &str, primary: bool, name_value: Option<(&str, &str)>) -> Markup {
    html! {
        button class=(if primary { "button primary" } else { "button" }) type="submit"
            name=[name_value.map(|pair| pair.0)] value=[name_value.map(|pair| pair.1)] { (label) }
    }
}

/// A link that looks like a button, for actions beside the next step.
#[must_use]
pub fn button_link(link: &Link<'_>) -> Markup {
    html! { a.button href=(link.href) { (link.label) } }
}

/// A button that sends a form without further questions.
#[must_use]
pub fn button_post(label: &str, action: &str, hidden: &[(Text<'_>, Text<'_>)]) -> Markup {
    html! {
        form.inline method="post" action=(action) {
            @for (name, value) in hidden { input type="hidden" name=(name) value=(value); }
            button.button type="submit" { (label) }
        }
    }
}

/// "Saved 14:03:22", near the title; a live script may renew it.
#[must_use]
pub fn saved_line(text: &str) -> Markup {
    html! { p.saved #saved role="status" { (text) } }
}
