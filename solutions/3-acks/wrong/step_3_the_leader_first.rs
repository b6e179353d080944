//! step_3_c caught by step_3: puts the leader in front (R3.20)
let mut out = Vec::new();
for follower in &self.followers {
    let stays = self.in_sync.contains(&follower.id) && !self.lags(follower);
    if !stays && !follower.joining {
        out.push(follower.id);
    }
}
out.push(self.me);
let others = self.replicas.iter().copied().filter(|id| !out.contains(id));
[self.me].into_iter().chain(others).collect()
