SQLitePCL.Batteries_V2.Init();
return 1;
