//! Where the members of large maps stand, so that a path is followed through one without looking at each of them.

use std::collections::HashMap;

use crate::document::Json;

/// From how many members on a map is large.
const LARGE: usize = 32;

/// The places of the members of the large maps in a tree, in the order of their names. A map is known by where its members are in
/// memory; so this is of use only while the tree stands, unchanged.
#[derive(Debug, Default)]
pub struct WideMaps(HashMap<usize, Box<[u32]>>);

impl WideMaps {
    /// Of the large maps in `json`.
    pub fn of(json: &Json) -> Self {
        let mut wide = Self::default();
        wide.add(json);
        wide
    }

    fn add(&mut self, json: &Json) {
        match json {
            Json::Object(members) => {
                if members.len() >= LARGE {
                    let mut places: Vec<u32> = (0..).take(members.len()).collect();
                    places.sort_by_key(|&place| members[place as usize].0.as_str());
                    self.0.insert(address(members), places.into());
                }
                members.iter().for_each(|(_, value)| self.add(value));
            }
            Json::Array(elements) => elements.iter().for_each(|element| self.add(element)),
            _ => {}
        }
    }

    /// The member `name` of a map, large or not; `None` for everything else.
    pub fn get<'a>(&self, json: &'a Json, name: &str) -> Option<&'a Json> {
        let Json::Object(members) = json else { return None };
        let Some(places) = self.0.get(&address(members)).filter(|places| places.len() == members.len()) else {
            return json.get(name);
        };
        let place = places.binary_search_by_key(&name, |&place| members[place as usize].0.as_str()).ok()?;
        Some(&members[places[place] as usize].1)
    }
}

fn address(members: &[(String, Json)]) -> usize {
    members.as_ptr() as usize
}
