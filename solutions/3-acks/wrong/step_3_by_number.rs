//! step_3_c caught by step_3: sorts the set by the brokers' numbers (R3.20)
let mut out = Vec::new();
for follower in &self.followers {
    let stays = self.in_sync.contains(&follower.id) && !self.lags(follower);
    if !stays && !follower.joining {
        out.push(follower.id);
    }
}
let mut wanted: Vec<i32> =
    self.replicas.iter().copied().filter(|id| !out.contains(id)).collect();
wanted.sort();
wanted
