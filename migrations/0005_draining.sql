-- The reconciler asks at every look which releases still drain: few of many steps.
create index deployment_steps_draining on deployment_steps (deployment_id) where name = 'drain' and status = 'running';
