//! `format`: one way to write a manifest, with its comments, and never another meaning.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use trueup_manifest::{Diagnostic, DiskFiles, MemoryFiles, format, render};

fn try_format(text: &str) -> Result<String, Vec<Diagnostic>> {
    format(&MemoryFiles::single(text)).map(|files| files.into_iter().next().unwrap().after)
}

/// The canonical form, of which the canonical form is itself.
fn formatted(text: &str) -> String {
    let once = try_format(text).unwrap_or_else(|problems| panic!("{}", render(&problems, false)));
    let twice = try_format(&once).unwrap_or_else(|problems| panic!("{once}\n{}", render(&problems, false)));
    assert_eq!(once, twice, "formatting again changes something");
    once
}

fn refused(text: &str) -> String {
    match try_format(text) {
        Ok(text) => panic!("formatted:\n{text}"),
        Err(problems) => render(&problems, false),
    }
}

#[test]
fn keys_stand_in_the_order_of_the_reference_and_names_in_that_of_the_alphabet() {
    let text = "\
users:
  bob:
    groups: [b, a]
    type: person
  Alice: {tags: {b: x, A: y}, path: /x/}
account:
  alias: acme
  id: \"123456789012\"
version: 1
";
    let expected = "\
version: 1

account:
  id: \"123456789012\"
  alias: acme

users:
  Alice: {path: /x/, tags: {A: y, b: x}}
  bob:
    type: person
    groups: [b, a]
";
    assert_eq!(formatted(text), expected);
}

#[test]
fn comments_stay_with_what_they_are_about() {
    let text = "\
# Who we are, and why.

# the version of the format
version: 1   # for now
users: # everybody
  # about bob
  # in two lines
  bob:
     groups:   [a]   # because
     # what he is
     type: person
     # path: /later/
  # about alice
  alice:
    groups:
    # the first
    - a
    - b # the second
      # and no more
# about the account
account:
  id: \"123456789012\" # ours
# the end
";
    let expected = "\
# Who we are, and why.

# the version of the format
version: 1   # for now

# about the account
account:
  id: \"123456789012\" # ours

users: # everybody
  # about alice
  alice:
    groups:
      # the first
      - a
      - b # the second
      # and no more
  # about bob
  # in two lines
  bob:
    # what he is
    type: person
    groups: [a]   # because
    # path: /later/
# the end
";
    assert_eq!(formatted(text), expected);
}

#[test]
fn an_empty_line_begins_a_group_of_names_and_headings_stay() {
    let text = "\
users:

  # Platform

  # she leads
  dora: {}
  bob: {}


  # Payments

  cem: {}
  ann: {}

  abe: {}
";
    let expected = "\
users:
  # Platform

  bob: {}
  # she leads
  dora: {}

  # Payments

  ann: {}
  cem: {}

  abe: {}
";
    assert_eq!(formatted(text), expected);
}

#[test]
fn documents_keep_the_order_of_their_statements() {
    let text = "\
policies:
  p:
    document:
      Statement:
      - {Resource: \"*\", Action: [\"s3:*\"], Effect: Allow, Sid: Two}
      -   Effect: Deny
          # never
          Sid: One
          Action: \"iam:*\"
          Condition: {StringEquals: {b: c, a: d}}
      Version: \"2012-10-17\"
";
    let expected = "\
policies:
  p:
    document:
      Version: \"2012-10-17\"
      Statement:
        - {Sid: Two, Effect: Allow, Action: [\"s3:*\"], Resource: \"*\"}
        -
          # never
          Sid: One
          Effect: Deny
          Action: \"iam:*\"
          Condition: {StringEquals: {b: c, a: d}}
";
    assert_eq!(formatted(text), expected);
}

#[test]
fn scalars_of_many_lines_are_kept() {
    let text = "\
policies:
  b:
      description: |   # as it is
            one
              two

            three
      path: /x/
  a:
    description: >-

      folded
      text


  c:
    description: |+
      kept

  d: {description: \"one
       two\",
      path: /y/}
  e:
    description: plain
      goes
        on   # and ends
  f:
      description: |2
          deeper
        text
";
    let expected = "\
policies:
  a:
    description: >-

      folded
      text
  b:
    path: /x/
    description: |   # as it is
      one
        two

      three

  c:
    description: |+
      kept

  d: {description: \"one
       two\",
      path: /y/}
  e:
    description: plain
      goes
      on   # and ends
  f:
    description: |2
        deeper
      text
";
    assert_eq!(formatted(text), expected);
}

#[test]
fn ends_of_lines_and_of_the_file_are_what_they_should_be() {
    assert_eq!(
        formatted("\u{feff}version: 1\r\nusers:\r\n    bob: {}\r\n    abe: {} # x"),
        "version: 1\r\n\r\nusers:\r\n  abe: {} # x\r\n  bob: {}\r\n"
    );
    assert_eq!(formatted("version: 1  \n\n\n\n"), "version: 1\n");
    assert_eq!(formatted("# only this   \n\n"), "# only this\n");
    assert_eq!(formatted(""), "");
    assert_eq!(formatted("# c\n--- # d\nversion: 1\n"), "# c\n--- # d\nversion: 1\n");
}

#[test]
fn what_is_left_out_stays_left_out() {
    assert_eq!(
        formatted("groups:\n  b: # nothing\n  a:\nusers: {x: {a, b}}\nroles:\n-\n- # c\n- x\n"),
        "groups:\n  a:\n  b: # nothing\n\nusers: {x: {a, b}}\n\nroles:\n  -\n  - # c\n  - x\n"
    );
}

#[test]
fn json_is_left_to_its_author() {
    let text = "{\"users\": {\"b\": {}},\n  \"version\": 1}\n";
    assert_eq!(formatted(text), text);
}

#[test]
fn what_cannot_be_formatted_is_refused_with_its_place() {
    for (text, message) in [
        ("users: &x {}\n", "is a YAML anchor"),
        ("users: {a: {<<: *x}}\n", "is a YAML alias"),
        ("version: 1\n--- \nversion: 1\n", "one YAML document"),
        ("? users\n: {}\n", "cannot format a key that begins with `?`"),
        ("users: {}\n...\n", "cannot format a line that ends a document"),
        ("users: {\n", "is never closed"),
        ("a: 1\rb: 2\n", "carriage return"),
        ("%YAML 1.2\n---\nusers: {}\n", "directive"),
        ("users: !x {}\n", "YAML tag"),
    ] {
        let shown = refused(text);
        assert!(shown.contains(message), "{text:?}: {shown}");
        assert!(shown.contains("trueup.yaml:"), "{text:?}: {shown}");
    }
}

#[test]
fn a_manifest_is_formatted_as_a_whole_or_not_at_all() {
    let files = MemoryFiles::new([("a.yaml", "users: {b: {}, a: {}}\n"), ("b.yaml", "users: &x {}\n")]);
    assert_eq!(format(&files).unwrap_err().len(), 1);
}

#[test]
fn problems_of_a_manifest_do_not_keep_it_from_being_formatted() {
    assert_eq!(
        formatted("zzz: 1\nusers: {b: {typ: x, groups: [nowhere]}}\nversion: 7\n"),
        "version: 7\n\nusers: {b: {groups: [nowhere], typ: x}}\n\nzzz: 1\n"
    );
}

#[test]
fn every_manifest_that_is_used_in_tests_keeps_its_meaning() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases");
    let mut seen = 0;
    for case in std::fs::read_dir(folder).unwrap() {
        let case = case.unwrap().path();
        let manifest = [case.join("manifest.yaml"), case.join("manifest")]
            .into_iter()
            .find(|path| path.exists())
            .unwrap();
        if let Err(problems) = format(&DiskFiles::open(&manifest).unwrap()) {
            for problem in problems {
                assert!(
                    !problem.code.starts_with("fmt"),
                    "{}: {}",
                    case.display(),
                    problem.message
                );
            }
        }
        seen += 1;
    }
    assert!(seen > 20);
}
