-- The versions from the last real change to the present one, where only word of deliveries came in between:
-- who has seen any of them is not out of date (ST-23). Empty stands for the present version alone, and so does
-- a range that ends before it: older code counts on and leaves this column as it is. So older code can live
-- with it, and the rows that are here already need no filling.
ALTER TABLE activities ADD COLUMN unchanged int4range;
