//! step_3_c caught by step_3: asks for those that may join, though the coordinator has refused them (R3.7 R3.8)
let mut out = Vec::new();
for follower in &self.followers {
    let stays = self.in_sync.contains(&follower.id) && !self.lags(follower);
    if !stays && !self.may_join(follower) {
        out.push(follower.id);
    }
}
self.replicas.iter().copied().filter(|id| !out.contains(id)).collect()
