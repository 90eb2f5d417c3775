//! Which relationships of a pattern might be the same one, and the conditions that say that they are not.

use super::Unanswerable;
use super::cursor::Reader;
use super::pattern::{Direction, Step};

impl Reader<'_> {
    /// The conditions under which no two of these relationships are the same one.
    pub fn differences(&mut self, steps: &[Step]) -> Result<Vec<String>, Unanswerable> {
        let mut conditions = Vec::new();
        let mut unnamed: Vec<&Step> = Vec::new();
        for (place, right) in steps.iter().enumerate() {
            for left in steps[..place].iter().filter(|left| may_be_one(left, right)) {
                if left.is_long || right.is_long {
                    let advice =
                        "a relationship might be a part of two paths; give the types of both, or a MATCH to each";
                    return Err(self.refuse("a path of any length beside other relationships", advice));
                }
                conditions.push(format!("`{}` <> `{}`", left.name, right.name));
                unnamed.extend([left, right]);
            }
        }
        let mut done: Vec<&str> = Vec::new();
        for step in unnamed {
            let Some((at, needs_brackets)) = step.place.filter(|_| !done.contains(&step.name.as_str())) else {
                continue;
            };
            let name = &step.name;
            self.insert(at, if needs_brackets { format!("[`{name}`]") } else { format!("`{name}`") });
            done.push(name);
        }
        Ok(conditions)
    }

    /// Refuses relationships that might be the same one, where nothing can be added to tell them apart.
    pub fn surely_differ(&self, steps: &[Step], at: usize) -> Result<(), Unanswerable> {
        let pairs =
            steps.iter().enumerate().flat_map(|(place, right)| steps[..place].iter().map(move |left| (left, right)));
        if pairs.into_iter().any(|(left, right)| may_be_one(left, right)) {
            let advice =
                "two of its relationships might be the same one; write EXISTS { … }, or give them different types";
            return Err(self.refuse_at(at, "this pattern", advice));
        }
        Ok(())
    }
}

/// Whether two relationships of one pattern may be the same. Those of one chain that all lead the same way are not: nobody
/// comes back to where they were in this graph, whatever way they take.
fn may_be_one(left: &Step, right: &Step) -> bool {
    let share =
        left.types.is_empty() || right.types.is_empty() || left.types.iter().any(|kind| right.types.contains(kind));
    let one_way = left.run == right.run && left.direction != Direction::Both;
    share && !one_way
}
