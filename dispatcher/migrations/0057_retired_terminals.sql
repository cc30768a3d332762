-- Terminals taken away for good since a moment: asked for at each wake-up of the broker's guard.
create index terminals_retired on terminals (retired_at);
