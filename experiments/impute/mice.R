# Rscript mice.R IN.csv OUT.csv DRAWS SEED
words <- commandArgs(TRUE)
rows <- utils::read.csv(words[1], header = FALSE, na.strings = "nan")
filled <- mice::mice(rows, m = as.integer(words[3]), seed = as.integer(words[4]), printFlag = FALSE,
                     eps = 0, threshold = 2)
draws <- do.call(rbind, lapply(seq_len(as.integer(words[3])), function(i) mice::complete(filled, i)))
# What mice leaves out (columns it takes for constant) is filled with the mean.
for (j in seq_along(draws)) draws[[j]][is.na(draws[[j]])] <- mean(rows[[j]], na.rm = TRUE)
utils::write.table(draws, words[2], sep = ",", row.names = FALSE, col.names = FALSE)
