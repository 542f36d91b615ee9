//! The page about the sandbox, held to what it is.

use std::path::PathBuf;

use trueup_sandbox::Faults;

const BEGIN: &str = "<!-- operations -->\n";
const END: &str = "<!-- end of operations -->";

fn page() -> (PathBuf, String) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/sandbox.md");
    let text = std::fs::read_to_string(&path).unwrap();
    (path, text)
}

/// One line for each kind of verb, so that a change reads as one.
fn listed() -> String {
    let operations = trueup_sandbox::operations();
    let mut lines: Vec<(String, Vec<&str>)> = Vec::new();
    for operation in &operations {
        let (service, name) = operation.split_once(':').unwrap();
        let verb = 1 + name[1..].find(char::is_uppercase).unwrap();
        let head = format!("{service}:{}", &name[..verb]);
        match lines.last_mut() {
            Some((last, names)) if *last == head => names.push(name),
            _ => lines.push((head, vec![name])),
        }
    }
    let line = |(head, names): &(String, Vec<&str>)| {
        let service = head.split(':').next().unwrap_or_default();
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        format!("- {}: {}\n", service.to_uppercase(), names.join(", "))
    };
    format!(
        "{} operations.\n\n{}\n",
        operations.len(),
        lines.iter().map(line).collect::<String>()
    )
}

#[test]
fn the_list_of_operations_is_that_of_the_code() {
    let (path, text) = page();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let expected = format!("{before}{BEGIN}\n{}{END}{after}", listed());
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, &expected).unwrap();
    } else {
        assert!(
            text == expected,
            "run again with BLESS=1; the list should be\n{}",
            listed()
        );
    }
}

#[test]
fn every_fault_is_described() {
    let (_, text) = page();
    let rows = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let mut described: Vec<&str> = rows.collect();
    described.sort_unstable();
    // The message about a fault that there is not names all that there are.
    let message = "none=1".parse::<Faults>().unwrap_err().to_string();
    let mut known: Vec<&str> = message.split("there are ").nth(1).unwrap().split(", ").collect();
    known.sort_unstable();
    assert_eq!(described, known);
}
