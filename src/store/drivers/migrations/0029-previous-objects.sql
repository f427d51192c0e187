-- What a change replaced is kept whole since 0002, labels and all.
ALTER TABLE changes DROP COLUMN previous_labels;
